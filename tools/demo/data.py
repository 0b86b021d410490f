"""Demo data: several weeks in the life of an invented app, up to now, with a report for each week.

The weeks are written one after the other, each followed by its report, so the reports are those
that the schedule would have made. Something unusual happens on a few of the days.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from google.cloud import firestore

from demo import seed
from demo.life import PREFIX, Life, Weather
from emulators.problem import Problem
from imagegen import clock
from imagegen.catalogue import catalogue
from imagegen.report import weekly, weeks
from imagegen.report.weeks import Week

BATCH = 400  # documents in a commit
WRITERS = 4
HISTORY_WEEKS = 4  # before an incident: what the rules of the report need to detect it


@dataclass(frozen=True)
class Incident:
    """Something unusual on one day, and the anomaly that the report should make of it."""

    weeks_ago: int  # 1 is the last complete week
    weekday: int  # 0 is Monday
    what: str
    weather: Weather
    metric: str
    direction: str = "up"
    dimension: tuple[str, str] | None = None

    def day(self, this_monday: date) -> str:
        return (this_monday + timedelta(days=self.weekday - 7 * self.weeks_ago)).isoformat()


INCIDENTS = (
    Incident(
        5,
        1,
        "an outage: most clients cannot reach the app",
        Weather(demand=0.1),
        "requests",
        "down",
    ),
    Incident(3, 3, "a school signs up its pupils", Weather(newcomers=30), "newUsers"),
    Incident(
        1,
        2,
        "anime goes viral: three times the usual demand",
        Weather(demand=3.0, style="anime"),
        "requests",
    ),
    Incident(
        1,
        4,
        "every second generation of Model B fails",
        Weather(failing={"Model B": 0.5}),
        "failureRate",
        dimension=("model", "Model B"),
    ),
    Incident(1, 5, "one user spends far more than before", Weather(spree=32), "userCredits"),
)


@dataclass(frozen=True)
class Planted:
    """An incident on its day, and the message of the anomaly that the report made of it, if any."""

    week: str
    date: str
    what: str
    message: str | None

    def as_json(self) -> dict[str, Any]:
        return {"week": self.week, "date": self.date, "what": self.what, "message": self.message}


def make(
    client: firestore.Client,
    number_of_weeks: int,
    seed_number: int,
    progress: Callable[[str, int], None],
) -> list[Planted]:
    """Write everything; `progress` is called after each day and each report.

    Raises Problem if there is demo data already: the same users cannot have two histories.
    """
    _require_none(client)
    _ensure_catalogue(client)
    now = clock.now()
    life = Life(catalogue.current(), seed_number)
    complete, current = _weeks(number_of_weeks, now)
    life.begin(complete[0].start)
    monday = date.fromisoformat(current.days[0].date)
    incidents = {
        each.day(monday): each
        for each in INCIDENTS
        if each.weeks_ago + HISTORY_WEEKS <= number_of_weeks
    }
    planted: list[Planted] = []
    for week in [*complete, current]:
        for day in week.days:
            if day.start < now:
                incident = incidents.get(day.date)
                life.live(day, incident.weather if incident else Weather(), now)
                progress(day.date, 1)
        _write(client, life.take())
        if week is not current:
            report = weekly.run(week=week.name)
            progress(f"report {week.name}", 1)
            planted += _found(week, incidents, report)
    return planted


def steps(number_of_weeks: int) -> int:
    """How many steps `make` reports to `progress`."""
    _, current = _weeks(number_of_weeks, clock.now())
    return 8 * number_of_weeks + sum(day.start < clock.now() for day in current.days)


def _weeks(number: int, now: datetime) -> tuple[list[Week], Week]:
    """The complete weeks, oldest first, and the current one."""
    zone = clock.time_zone()
    current = weeks.named(clock.iso_week(clock.local_date(now)), zone)
    return [weeks.named(name, zone) for name in weeks.before(current, number)], current


def _require_none(client: firestore.Client) -> None:
    users = client.collection("users")
    first = users.order_by("__name__").start_at({"__name__": users.document(PREFIX)})
    if any(each.id.startswith(PREFIX) for each in first.limit(1).stream()):
        raise Problem(
            "There is demo data already. The emulators forget it when they stop: restart them "
            "(make run) and try again."
        )


def _ensure_catalogue(client: firestore.Client) -> None:
    """Write the catalogue if there is none."""
    if not list(client.collection("models").limit(1).stream()):
        project = str(client.project)
        for path, fields in seed.catalogue(seed.hosting_url(project)).items():
            client.document(path).set(fields)
    catalogue.forget()


def _write(client: firestore.Client, documents: Mapping[str, Mapping[str, Any]]) -> None:
    with ThreadPoolExecutor(WRITERS) as writers:
        for done in [
            writers.submit(_commit, client, part) for part in _parts([*documents.items()])
        ]:
            done.result()


def _parts(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _commit(client: firestore.Client, documents: Sequence[tuple[str, Mapping[str, Any]]]) -> None:
    batch = client.batch()
    for path, fields in documents:
        batch.set(client.document(path), dict(fields))
    batch.commit()


def _found(
    week: Week, incidents: Mapping[str, Incident], report: Mapping[str, Any]
) -> list[Planted]:
    return [
        Planted(week.name, day.date, incident.what, _message(incident, day.date, report))
        for day in week.days
        if (incident := incidents.get(day.date)) is not None
    ]


def _message(incident: Incident, day: str, report: Mapping[str, Any]) -> str | None:
    for each in report["anomalies"]:
        named = each["dimension"] and (each["dimension"]["name"], each["dimension"]["value"])
        days = {each["date"], *(detail["date"] for detail in each["days"])}
        if (
            (each["metric"], each["direction"]) == (incident.metric, incident.direction)
            and (incident.dimension is None or named == incident.dimension)
            and (day in days or each["scope"] == "week")
        ):
            return str(each["message"])
    return None


def is_safe(client: firestore.Client) -> bool:
    """Whether this is an emulator or a demo project, where invented data does no harm."""
    return bool(os.environ.get("FIRESTORE_EMULATOR_HOST")) or str(client.project).startswith(
        "demo-"
    )
