"""What the catalogue documents of all paid models have in common, and what follows from it."""

import ipaddress
from collections.abc import Mapping
from string import Formatter
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.alias_generators import to_camel

from imagegen import config
from imagegen.providers.base import GenerationJob, Photo
from imagegen.providers.failures import Reason, failure

PLACEHOLDERS = {"prompt", "style", "color"}
DEFAULT_TEMPLATE = "{prompt}. Style: {style}. Colors: {color}."


def _template(value: str) -> str:
    try:
        names = {name for _, name, _, _ in Formatter().parse(value) if name is not None}
        value.format(prompt="", style="", color="")
    except (ValueError, LookupError, AttributeError) as error:
        raise ValueError("not a template; write {{ for a brace") from error
    if not names <= PLACEHOLDERS or "prompt" not in names:
        raise ValueError("needs {prompt}, may have {style} and {color}, and nothing else")
    return value


def _base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.fragment or not value.isascii():
        raise ValueError("needs an https URL without a user")
    return value


def is_loopback(url: str) -> bool:
    """Whether the URL leads to this machine itself."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


BaseUrl = Annotated[str, Field(max_length=500), AfterValidator(_base_url)]
ModelName = Annotated[
    str, StringConstraints(max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:@/-]*\z")
]


class ProviderSettings(BaseModel):
    """Fields that a paid model's document may have; providers add theirs.

    `sizes` maps our size to what the provider is asked for. `fit` exact crops and scales down to
    the size that was ordered; native keeps what the provider gave. `sourceParameter` names the
    field for a photo, with `[]` where it takes a list. `background` and `fallbackModel` are for the
    core.
    """

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)

    provider_model: ModelName
    base_url: BaseUrl
    secret: str | None = None
    prompt_template: Annotated[str, Field(max_length=1000), AfterValidator(_template)] = (
        DEFAULT_TEMPLATE
    )
    sizes: dict[str, dict[str, Any]] = {}
    fit: Literal["exact", "native"] = "exact"
    parameters: dict[str, Any] = {}
    sources: bool = False
    source_parameter: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\[\])?\z")] = "image_url"
    max_bytes: Annotated[int, Field(ge=1024, le=50 * 1024 * 1024)] = 20 * 1024 * 1024
    background: bool = False
    fallback_model: str | None = None

    @classmethod
    def of(cls, job: GenerationJob) -> Self:
        """The settings of the job's model. Raises GeneratorError (MODEL_MISCONFIGURED)."""
        try:
            return cls.model_validate(job.settings)
        except ValidationError as error:
            field = ".".join(str(part) for part in error.errors()[0]["loc"])
            raise failure(Reason.MODEL_MISCONFIGURED, field) from error

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if value is not None}

    @field_validator("secret")
    @classmethod
    def _secret_is_for_this_host(cls, secret: str | None, info: ValidationInfo) -> str | None:
        base_url = info.data.get("base_url")
        if secret is None or base_url is None:
            return secret
        host = urlsplit(base_url).netloc
        if host not in config.generator_secret_hosts().get(secret, ()):
            raise ValueError(f"the parameter GENERATOR_SECRETS does not have {secret}:{host}")
        if not base_url.startswith("https:") and not is_loopback(base_url):
            raise ValueError("a secret is sent over https only")
        return secret

    def prompt_of(self, job: GenerationJob) -> str:
        """The text that the provider is given."""
        text = self.prompt_template.format(prompt=job.prompt, style=job.style, color=job.color)
        place = (job.source or {}).get("address")
        return f"{text} Place: {place}." if place else text

    def size_of(self, job: GenerationJob, default: dict[str, Any]) -> dict[str, Any]:
        """The parameters that stand for the size, by the document or else the provider's own."""
        return self.sizes.get(job.size_name, default)

    def with_photo(self, fields: dict[str, Any], job: GenerationJob) -> dict[str, Any]:
        """`fields` and, where there is one, the photo under the name that the model gives it."""
        photo = self.photo_of(job)
        if photo is None:
            return fields
        name, _, is_list = self.source_parameter.partition("[")
        return {**fields, name: [photo.data_uri] if is_list else photo.data_uri}

    def photo_of(self, job: GenerationJob) -> Photo | None:
        """The photo to start from. Raises GeneratorError where the model takes none."""
        if job.photo is not None and not self.sources:
            raise failure(Reason.SOURCE_NOT_USABLE, "the model takes no photo")
        return job.photo


def nearest_ratio(width: int, height: int, ratios: tuple[str, ...]) -> str:
    """The one of `ratios` ("16:9") that is nearest to the proportions of an image."""

    def distance(ratio: str) -> float:
        across, _, down = ratio.partition(":")
        quotient = width / height / (float(across) / float(down))
        return max(quotient, 1 / quotient)

    return min(ratios, key=distance)
