"""What a check reports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """Something that is not as it has to be, and the command or link that mends it.

    What does not `block` is advice: the deploy works without it, or mends it itself.
    """

    problem: str
    remedy: str
    blocks: bool = True
