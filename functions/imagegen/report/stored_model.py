"""Base of the models that a report is stored as: camelCase in Firestore, snake_case in Python."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)
from pydantic.alias_generators import to_camel

Number = int | float  # a whole number stays one, so that it is stored as an integer
_READING = object()


class StoredModel(BaseModel):
    """Every field of a subclass has a default, which stands in for what an older report lacks."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )

    @classmethod
    def from_firestore(cls, fields: Mapping[str, Any]) -> Self:
        """What was stored. Never raises: a field that is malformed has its default."""
        return cls.model_validate(dict(fields), context=_READING)

    def to_firestore(self) -> dict[str, Any]:
        return self.model_dump(by_alias=True)

    @field_validator("*", mode="wrap")
    @classmethod
    def _default_if_malformed(
        cls, value: Any, handler: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> Any:
        try:
            return handler(value)
        except ValidationError:
            if info.context is not _READING or info.field_name is None:
                raise
            return cls.model_fields[info.field_name].get_default(call_default_factory=True)
