"""The two steps after the charge that every road shares: generate, and settle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from imagegen import clock, db, logger
from imagegen.catalogue.catalogue import Catalogue
from imagegen.credits import ledger, limits
from imagegen.firestore.store import Document
from imagegen.providers import run as providers
from imagegen.providers.base import GenerationJob, GeneratorError

OPEN = ("pending", "processing")


@dataclass(frozen=True)
class Ending:
    """How a request ends: with an image, or with its credits given back."""

    status: Literal["completed", "failed", "canceled"]
    image_url: str | None = None
    error: GeneratorError | None = None

    @classmethod
    def completed(cls, image_url: str) -> Ending:
        return cls("completed", image_url=image_url)

    @classmethod
    def failed(cls, error: GeneratorError) -> Ending:
        return cls("failed", error=error)

    def fields(self, moment: datetime) -> dict[str, Any]:
        error = self.error and {
            "reason": self.error.reason,
            "message": self.error.message,
            "retryable": self.error.retryable,
        }
        return {
            "status": self.status,
            "imageUrl": self.image_url,
            "error": error,
            "completedAt": moment,
            "updatedAt": moment,
        }


def generate(request: Document, offers: Catalogue, *, timeout_seconds: float) -> str:
    """The URL of the image that `request` orders.

    Raises GeneratorError, whatever goes wrong: a defect of ours costs the user no more than one of
    the generator's.
    """
    try:
        return _generate(request, offers, timeout_seconds)
    except GeneratorError:
        raise
    except Exception as error:
        logger.error("defect", generationRequestId=request.id, error=repr(error))
        message = "The request could not be carried out."
        raise GeneratorError("DEFECT", message, retryable=False) from error


def _generate(request: Document, offers: Catalogue, timeout_seconds: float) -> str:
    model, size = offers.models.get(request["model"]), offers.sizes.get(request["size"])
    if model is None or size is None:
        raise GeneratorError("OPTION_REMOVED", "The model is no longer on offer.", retryable=False)
    job = GenerationJob(
        generation_request_id=request.id,
        model=model.name,
        style=request["style"],
        color=request["color"],
        width=size.width,
        height=size.height,
        prompt=request["prompt"],
        source=request["source"],
        settings=model.settings,
    )
    return providers.generate(model.generator, job, timeout_seconds=timeout_seconds)


def settle(
    request: Document, ending: Ending, *, only_if: Callable[[Document], bool] | None = None
) -> Document:
    """End an open request, with the refund unless it completed; the request as it then stands.

    A request that somebody else has ended, or for which `only_if` is false, stays as it is: without
    `only_if`, one that another attempt has taken over. So of all that may happen late or twice
    (a second delivery, recovery, a cancel, a lost reply) only the first has an effect.
    """
    user_path = db.user(request["userId"])
    is_ours = only_if or (lambda current: current["attemptId"] == request["attemptId"])
    # A success of the synchronous road touches the request alone, whose update time the charge has
    # told us: no read. All others need the user, for the refund or the place in flight.
    needs_user = ending.status != "completed" or limits.tracks(request)

    def decide(transaction: db.Transaction) -> None:
        current = transaction[request.path]
        if current["status"] not in OPEN or not is_ours(current):
            return
        moment = clock.now()
        transaction.update(request.path, ending.fields(moment))
        if not needs_user:
            return
        if not transaction[user_path].exists:
            logger.error("account of a request is gone", generationRequestId=request.id)
            return
        limits.release(transaction, current)
        if ending.status != "completed":
            reason = ending.error.reason if ending.error else "CANCELED"
            ledger.refund(transaction, current, moment, reason=reason)

    settled = db.transact(decide, request, *([user_path] if needs_user else []))[request.path]
    if settled["status"] in OPEN:
        return settled
    duration = settled["completedAt"] - settled["createdAt"]
    logger.info(
        "generation settled" if settled["status"] == ending.status else "late result dropped",
        generationRequestId=settled.id,
        userId=settled["userId"],
        model=settled["model"],
        credits=settled["credits"],
        outcome=settled["status"],
        reason=(settled["error"] or {}).get("reason"),
        durationMs=round(duration.total_seconds() * 1000),
    )
    return settled
