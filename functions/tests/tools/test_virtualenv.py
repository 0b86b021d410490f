"""emulators/virtualenv: functions/venv works where it is, and everything is installed into it."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from emulators import virtualenv
from support.paths import ROOT


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that the set-up has made; nothing is installed in it."""
    path = tmp_path_factory.mktemp("checkout") / "functions" / "venv"
    with (
        mock.patch.object(virtualenv, "VENV", path),
        mock.patch.object(virtualenv, "_install"),
    ):
        virtualenv.ensure()
    return path


@pytest.fixture
def install() -> Iterator[mock.Mock]:
    """Replaces pip."""
    with mock.patch.object(virtualenv, "_install") as replaced:
        yield replaced


def test_a_complete_venv_is_left_alone(
    original: Path,
    install: mock.Mock,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(virtualenv, "VENV", original)
    virtualenv.ensure()
    assert not install.called
    assert capfd.readouterr().out == ""


def test_changed_requirements_are_installed(
    original: Path, install: mock.Mock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtualenv, "VENV", original)
    (original / "installed.txt").write_text("those of before")
    virtualenv.ensure()
    assert install.call_args_list[0].args[0] == "--requirement"
    assert install.call_args_list[-1].args[-2:] == ("--editable", str(ROOT / "tools"))


def test_a_moved_checkout_gets_a_new_venv_and_is_told_why(
    original: Path,
    install: mock.Mock,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    moved = original.parents[1] / "moved" / "functions" / "venv"
    shutil.copytree(original, moved, symlinks=True)
    monkeypatch.setattr(virtualenv, "VENV", moved)
    assert virtualenv.was_made_elsewhere()
    virtualenv.ensure()
    assert not virtualenv.was_made_elsewhere()
    first_line = capfd.readouterr().out.splitlines()[0]
    assert first_line.startswith("functions/venv was created in another folder")
    assert install.called
    pip = subprocess.run([moved / "bin" / "pip", "--version"], capture_output=True, check=True)
    assert str(moved) in pip.stdout.decode()


def test_packages_go_into_the_venv_wherever_pip_is_configured_to_put_them(
    original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(virtualenv, "VENV", original)
    monkeypatch.setenv("PIP_USER", "1")
    for variable in ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    virtualenv._install("--no-index", "--no-deps", "--quiet", str(wheel_of_one_module(tmp_path)))
    assert len([*original.glob("lib/python3*/site-packages/tiny.py")]) == 1


def wheel_of_one_module(directory: Path) -> Path:
    wheel = directory / "tiny-1-py3-none-any.whl"
    about = "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.py", "")
        archive.writestr("tiny-1.dist-info/METADATA", about)
        archive.writestr("tiny-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny-1.dist-info/RECORD", "")
    return wheel


def test_every_command_that_is_installed_can_be_called() -> None:
    project = tomllib.loads((ROOT / "tools" / "pyproject.toml").read_text())["project"]
    for name, target in project["scripts"].items():
        module, _, attribute = target.partition(":")
        assert callable(getattr(importlib.import_module(module), attribute)), name
