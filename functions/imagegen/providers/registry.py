"""The providers by name, imported at first use: a cold start pays for none that it does not use."""

import functools
import importlib
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from imagegen.providers.base import JobProvider, Provider
from imagegen.providers.failures import Reason, failure

# The `generator` field of a model's catalogue document names one of these: module and class.
GENERATORS: dict[str, str | Provider | JobProvider] = {
    "mock": "imagegen.providers.mock.MockProvider",
    "openai": "imagegen.providers.openai.OpenAIProvider",
    "gemini": "imagegen.providers.gemini.GeminiProvider",
    "fal": "imagegen.providers.fal.FalProvider",
    "replicate": "imagegen.providers.replicate.ReplicateProvider",
}

# What these make costs nothing, so a lost attempt may be repeated.
FREE_OF_CHARGE = frozenset({"mock"})


class SettingsError(ValueError):
    """A model's catalogue document has a field that its provider cannot use."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


def find(generator: str) -> Provider | JobProvider:
    """The provider with that name. Raises GeneratorError (UNKNOWN_GENERATOR)."""
    if generator not in GENERATORS:
        raise failure(Reason.UNKNOWN_GENERATOR, generator)
    entry = GENERATORS[generator]
    return _load(entry) if isinstance(entry, str) else entry


@functools.cache
def _load(path: str) -> Provider | JobProvider:
    module, _, name = path.rpartition(".")
    provider: Provider | JobProvider = getattr(importlib.import_module(module), name)()
    return provider


def validate_settings(generator: str, fields: Mapping[str, Any]) -> None:
    """Check the fields of a model's document that are its provider's.

    Raises SettingsError, which names the first field that is wrong.
    """
    if generator not in GENERATORS:
        known = ", ".join(GENERATORS)
        raise SettingsError("generator", f"there is no {generator!r}, only {known}")
    settings: type[BaseModel] | None = getattr(find(generator), "Settings", None)
    if settings is None:
        return
    try:
        settings.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "settings"
        raise SettingsError(field, first["msg"]) from error
