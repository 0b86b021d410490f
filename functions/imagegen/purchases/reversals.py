"""Money that went back: refunds and disputes of one purchase, and the credits they cost.

A clawback is a state, not an action: from everything known follows how many credits should be
taken, and only the difference to what was taken is booked. What is known merges the same way in
whatever order it is told and however often: the latest word about each refund and dispute counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Words for statuses are Stripe's. The order settles which word is later within one second.
REFUND_STATUSES = ("pending", "requires_action", "succeeded", "canceled", "failed")
REFUNDED = frozenset({"pending", "requires_action", "succeeded"})
DISPUTE_STATUSES = (
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "lost",
    "appeal_needs_response",
    "appeal_under_review",
    "prevented",
    "won",
)
DISPUTED = frozenset(
    {"needs_response", "under_review", "lost", "appeal_needs_response", "appeal_under_review"}
)
# An inquiry: no money moves until it is withdrawn.
INQUIRY = frozenset({"warning_needs_response", "warning_under_review"})


@dataclass(frozen=True)
class Refund:
    """A refund as of `at` (seconds since 1970). `amount` None: of the whole purchase."""

    amount: int | None
    status: str
    at: int

    @property
    def counts(self) -> bool:
        return self.status in REFUNDED

    def later(self, other: "Refund") -> "Refund":
        return max(self, other, key=lambda each: each.order)

    @property
    def order(self) -> tuple[int, int, str, int]:
        return self.at, _rank(REFUND_STATUSES, self.status), self.status, self.amount or 0


@dataclass(frozen=True)
class Dispute:
    """A dispute as of `at`; `withdrawn` once its funds have been taken from us."""

    amount: int
    status: str
    at: int
    withdrawn: bool = False

    @property
    def counts(self) -> bool:
        return self.status in DISPUTED or (self.status in INQUIRY and self.withdrawn)

    def later(self, other: "Dispute") -> "Dispute":
        latest = max(self, other, key=lambda each: each.order)
        withdrawn = self.withdrawn or other.withdrawn
        return Dispute(latest.amount, latest.status, latest.at, withdrawn)

    @property
    def order(self) -> tuple[int, int, str, int]:
        return self.at, _rank(DISPUTE_STATUSES, self.status), self.status, self.amount


@dataclass(frozen=True)
class Reversals:
    """Everything known of the refunds and disputes of one purchase, by their ids.

    `refunded_amount` is the highest sum of refunds that a charge has told of. Amounts are in the
    currency's smallest unit.
    """

    refunded_amount: int = 0
    refunds: Mapping[str, Refund] = field(default_factory=dict)
    disputes: Mapping[str, Dispute] = field(default_factory=dict)

    def merged(self, other: "Reversals") -> "Reversals":
        """What both know together."""
        refunds, disputes = dict(self.refunds), dict(self.disputes)
        for refund_id, refund in other.refunds.items():
            refunds[refund_id] = (
                refunds[refund_id].later(refund) if refund_id in refunds else refund
            )
        for dispute_id, dispute in other.disputes.items():
            known = disputes.get(dispute_id)
            disputes[dispute_id] = known.later(dispute) if known else dispute
        return Reversals(max(self.refunded_amount, other.refunded_amount), refunds, disputes)

    def refunded(self, amount: int) -> int:
        """How much of a purchase of `amount` was refunded.

        Refunds that failed may be part of the sum that a charge told of before they did.
        """
        counting = [each for each in self.refunds.values() if each.counts]
        if any(each.amount is None for each in counting):
            return amount
        failed = sum(each.amount or 0 for each in self.refunds.values() if not each.counts)
        told = sum(each.amount or 0 for each in counting)
        return min(amount, max(told, self.refunded_amount - failed))

    @property
    def is_refunded(self) -> bool:
        return any(each.counts for each in self.refunds.values())

    @property
    def is_disputed(self) -> bool:
        return any(each.counts for each in self.disputes.values())

    @property
    def came_back(self) -> bool:
        """Whether money that had gone came back: a refund failed, a dispute was won."""
        refunds, disputes = self.refunds.values(), self.disputes.values()
        return any(not each.counts for each in refunds) or any(
            each.status == "won" for each in disputes
        )

    def clawback(self, credits: int, amount: int) -> int:
        """How many of the `credits` that were bought for `amount` should be taken back.

        Parts of a credit are left to the user.
        """
        disputed = sum(each.amount for each in self.disputes.values() if each.counts)
        if amount <= 0:  # what cost nothing is taken back whole, or not at all
            return credits if self.is_refunded or self.is_disputed else 0
        return credits * min(amount, self.refunded(amount) + disputed) // amount

    def stored(self) -> dict[str, Any]:
        """The same as a map for Firestore."""
        return {
            "refundedAmount": self.refunded_amount,
            "refunds": {refund_id: dict(vars(each)) for refund_id, each in self.refunds.items()},
            "disputes": {
                dispute_id: dict(vars(each)) for dispute_id, each in self.disputes.items()
            },
        }

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Reversals":
        """From what `stored` made. Raises ValueError for anything else: no sum may guess."""
        try:
            return cls(
                stored["refundedAmount"],
                {refund_id: Refund(**each) for refund_id, each in stored["refunds"].items()},
                {dispute_id: Dispute(**each) for dispute_id, each in stored["disputes"].items()},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError("not what is known of refunds and disputes") from error


def _rank(order: tuple[str, ...], status: str) -> int:
    """The place of a status; one that is new to us comes last."""
    return order.index(status) if status in order else len(order)
