"""docs/configuration.md lists every parameter with its default and description."""

from support.paths import ROOT

from imagegen import config


def test_every_parameter_is_documented_as_it_is_declared() -> None:
    documented = {
        line
        for line in (ROOT / "docs" / "configuration.md").read_text().splitlines()
        if line.startswith("| `")
    }
    declared = {
        f"| `{name}` | {_default(parameter.default)} | {parameter.description} |"
        for name, parameter in vars(config).items()
        if name.isupper() and hasattr(parameter, "default")
    }
    assert documented == declared


def _default(value: object) -> str:
    """The value as it stands in a .env file."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"`{text}`" if text else "empty"
