"""What a few users spent in the weeks before; their documents know it for nine weeks.

The rule for single users asks for its top spenders only, so the cost does not grow with the number
of users. What was read is stored in the report, with what they spent in the report's own week. So
last week's top spenders, who are most of this week's, are not read again; and a later run of the
same week has the same result, though the user documents have forgotten those weeks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from google.api_core.exceptions import GoogleAPIError

from imagegen import logger
from imagegen.firestore.store import Document, is_document_id
from imagegen.firestore.stored import mapping, whole_number
from imagegen.report.document import UserHistoryEntry, WeeklyReport
from imagegen.report.earlier import EarlierReports
from imagegen.report.numbers import MOST_CREDITS, UserNumbers, UserWeek
from imagegen.report.source import Source

WEEKS = 8  # of a user's own

ByWeek = Mapping[str, UserWeek]


class UserHistoryUnavailable(Exception):
    """The user documents cannot be read, so users cannot be compared with their own records."""


class UserHistory:
    """Callable as the rules' `EarlierWeeks`. Raises UserHistoryUnavailable.

    `left_out` are the users asked for who cannot be compared with their own records: Firestore
    accepts no document of that id, or `usage` in their document is malformed.
    """

    def __init__(self, earlier: EarlierReports, source: Source) -> None:
        self._weeks = earlier.weeks[-WEEKS:]
        self._source = source
        self._stored = {**self._of(earlier.last), **self._of(earlier.revision)}
        self._asked: dict[str, ByWeek] = {}
        self.left_out: list[str] = []
        self.documents_read = 0

    def _of(self, report: WeeklyReport | None) -> dict[str, ByWeek]:
        return {
            each.user_id: {week: spent for week, spent in each.weeks.items() if week in self._weeks}
            for each in (report.user_history if report else [])
        }

    def __call__(self, user_ids: Sequence[str]) -> dict[str, tuple[UserWeek, ...]]:
        unknown = [each for each in user_ids if each not in self._stored]
        known = {**self._stored, **self._read(unknown)}
        self._asked.update({each: known[each] for each in user_ids if each in known})
        self.left_out += [each for each in user_ids if each not in known]
        return {
            each: tuple(spent for _, spent in sorted(known[each].items()))
            for each in user_ids
            if each in known
        }

    def to_store(self, week: str, users: Mapping[str, UserNumbers]) -> list[UserHistoryEntry]:
        """`userHistory` of the report on `week`."""
        entries = []
        for user_id in sorted(self._asked):
            by_week, user = dict(self._asked[user_id]), users[user_id]
            if user.credits:  # as in `usage.weeks`, a week without spending has no entry
                by_week[week] = UserWeek(user.credits, user.busiest_day_credits)
            entries.append(UserHistoryEntry(user_id=user_id, weeks=by_week))
        return entries

    def _read(self, user_ids: Sequence[str]) -> dict[str, ByWeek]:
        # A request that was not written by this backend may name what is no document id.
        paths = [f"users/{each}" for each in user_ids if is_document_id(each)]
        if not paths:
            return {}
        self.documents_read += len(paths)
        try:
            users = self._source.documents(paths, ["usage"])
        except GoogleAPIError as error:
            raise UserHistoryUnavailable from error
        found = {}
        for user in users:
            try:
                found[user.id] = self._by_week(user)
            except ValueError as error:
                logger.error("usage is malformed", path=user.path, error=str(error))
        return found

    def _by_week(self, user: Document) -> ByWeek:
        """Raises ValueError when `usage` is malformed."""
        spent = _map(_map(user.fields, "usage"), "weeks")
        weeks = {week: _map(spent, week) for week in self._weeks if week in spent}
        return {
            week: UserWeek(_credits(numbers, "credits"), _credits(numbers, "busiestDay"))
            for week, numbers in weeks.items()
        }


def _map(fields: Mapping[str, Any] | None, name: str) -> Mapping[str, Any]:
    """Empty where there is none. Raises ValueError."""
    value = (fields or {}).get(name)
    return {} if value is None else mapping(value)


def _credits(fields: Mapping[str, Any], name: str) -> int:
    """0 where there are none. Raises ValueError."""
    credits = whole_number(fields.get(name, 0))
    if abs(credits) > MOST_CREDITS:
        raise ValueError(f"{name} is out of range")
    return credits
