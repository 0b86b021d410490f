"""What a few users spent in the weeks before: their documents know, for nine weeks.

The rule for single users asks for its top spenders only, so the cost stays that of the week. What
was read is kept in the report, with what they spent in the report's own week. So whoever was a top
spender last week, and most of them were, need not be read again; and a later run of the same week
comes to the same result when the user documents have long forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.api_core.exceptions import GoogleAPIError

from imagegen.firestore.store import Document
from imagegen.report.earlier import Earlier, Report
from imagegen.report.numbers import UserNumbers
from imagegen.report.source import Source

WEEKS = 8  # of a user's past

# ISO week -> (net credits, the busiest day's)
Past = Mapping[str, tuple[int, int]]


class PastsUnavailable(Exception):
    """The user documents cannot be read, so nothing can be said of users' own records."""


class Pasts:
    """Callable as the rules' `EarlierWeeks`."""

    def __init__(self, earlier: Earlier, source: Source) -> None:
        self._weeks = earlier.weeks[-WEEKS:]
        self._source = source
        self._kept = {**self._from(earlier.last), **self._from(earlier.revision)}
        self._asked: dict[str, Past] = {}
        self.documents_read = 0

    def _from(self, report: Report | None) -> dict[str, Past]:
        return {
            each["userId"]: {
                week: (spent[0], spent[1])
                for week, spent in each["weeks"].items()
                if week in self._weeks
            }
            for each in (report or {}).get("userHistory", [])
        }

    def __call__(self, user_ids: Sequence[str]) -> dict[str, tuple[tuple[int, int], ...]]:
        unknown = [each for each in user_ids if each not in self._kept]
        known = {**self._kept, **self._read(unknown)}
        self._asked.update({each: known.get(each, {}) for each in user_ids})
        return {
            each: tuple(spent for _, spent in sorted(self._asked[each].items()))
            for each in user_ids
        }

    def to_store(self, week: str, users: Mapping[str, UserNumbers]) -> list[dict[str, Any]]:
        """`userHistory` of the report on `week`."""
        history = []
        for user_id in sorted(self._asked):
            past = dict(self._asked[user_id])
            if users[user_id].credits:  # as in `usage.weeks`, a week without spending is no entry
                past[week] = (users[user_id].credits, users[user_id].busiest_day_credits)
            history.append(
                {"userId": user_id, "weeks": {name: list(spent) for name, spent in past.items()}}
            )
        return history

    def _read(self, user_ids: Sequence[str]) -> dict[str, Past]:
        # Requests written by somebody else may name what no user document can be called.
        paths = [f"users/{each}" for each in user_ids if "/" not in each]
        if not paths:
            return {}
        self.documents_read += len(paths)
        try:
            users = self._source.documents(paths, ["usage.weeks"])
        except GoogleAPIError as error:
            raise PastsUnavailable from error
        return {each.id: self._past(each) for each in users}

    def _past(self, user: Document) -> Past:
        spent = ((user.fields or {}).get("usage") or {}).get("weeks") or {}
        return {
            week: (spent[week].get("credits", 0), spent[week].get("busiestDay", 0))
            for week in self._weeks
            if week in spent
        }
