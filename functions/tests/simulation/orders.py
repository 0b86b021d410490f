"""What clients want, and what was on offer when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imagegen.api.auth import Caller
from imagegen.generation.orders import CreateGenerationRequest
from simulation.lot_books import UNVERIFIED

MODELS = ("Model A", "Model B", "Model C", "Model D")
SPELLINGS = {"Model A": ("Model A", "model-a", "MODEL_A"), "Model B": ("Model B", "modelb")}


@dataclass(frozen=True)
class Wanted:
    """An order as its client means it; `spelling` is one of several ways to write it."""

    user_id: str
    model: str = "Model A"
    style: str = "anime"
    color: str = "neon"
    size: str = "small"
    prompt: str = "a lighthouse"
    mode: str = "sync"
    key: str | None = None
    spelling: int = 0
    caller: str | None = None  # a user id, or a trusted caller without one

    @property
    def entitled(self) -> bool:
        return self.caller in (None, self.user_id)

    def meaning(self) -> tuple[str, ...]:
        return (self.user_id, self.model, self.style, self.color, self.size, self.prompt, self.mode)

    def same_body(self, other: Wanted) -> bool:
        return self.meaning() == other.meaning()

    def same_key(self, other: Wanted) -> bool:
        """Whether one request serves both; an order without a key is its own."""
        return self.key is not None and (self.user_id, self.key) == (other.user_id, other.key)

    def describes(self, request: Mapping[str, Any]) -> bool:
        names = ("userId", "model", "style", "color", "size", "prompt", "mode")
        return self.meaning() == tuple(request[name] for name in names)

    def who(self) -> Caller:
        return Caller(uid=self.caller, has_verified_email=self.caller != UNVERIFIED)

    def sent(self) -> CreateGenerationRequest:
        spellings = SPELLINGS.get(self.model, (self.model,))
        return CreateGenerationRequest.model_validate(
            {
                "userId": self.user_id,
                "model": spellings[self.spelling % len(spellings)],
                "style": self.style.upper() if self.spelling % 2 else self.style,
                "color": self.color,
                "size": self.size,
                "prompt": f" {self.prompt} " if self.spelling % 2 else self.prompt,
                "mode": self.mode,
                "idempotencyKey": self.key,
            }
        )


@dataclass(frozen=True)
class Named:
    """A question about a request."""

    request_id: str
    entitled: bool


@dataclass
class Offered:
    """The prices (1 for what has none, None for what is not on offer), and since when."""

    cached_seconds: float
    limited: bool
    history: dict[tuple[str, str], list[tuple[float, int | None]]] = field(default_factory=dict)

    def change(self, collection: str, name: str, price: int | None, seconds: float) -> None:
        self.history.setdefault((collection, name), []).append((seconds, price))

    def during(self, collection: str, name: str, started: float) -> set[int | None]:
        """What held at any time from the oldest cache a call from `started` on may have used."""
        versions = self.history.get((collection, name), [(0.0, None)])
        ends = [seconds for seconds, _ in versions[1:]] + [float("inf")]
        oldest = started - self.cached_seconds
        return {price for (_, price), end in zip(versions, ends, strict=True) if end >= oldest}
