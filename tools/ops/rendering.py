"""A weekly report for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from imagegen.purchases import money
from imagegen.report.digest import headline
from imagegen.report.document import WeeklyReport

Report = Mapping[str, Any]

STYLES = {"critical": "bold white on red", "high": "bold red", "medium": "yellow", "low": "cyan"}
BAR_WIDTH = 44
TILES = {
    "requests": "generations",
    "successRate": "success rate",
    "creditsNet": "net credits",
    "creditsRefunded": "refunded",
    "activeUsers": "active users",
    "newUsers": "new users",
}
# An increase of these is bad.
UNWELCOME = {"creditsRefunded"}


def show(report: Report, console: Console) -> None:
    """The whole report."""
    period = f"{report['periodStart']:%Y-%m-%d} to {report['periodEnd']:%Y-%m-%d}"
    told = f"revision {report['revision']} of {report['generatedAt']:%Y-%m-%d %H:%M} UTC"
    console.print()
    console.rule(f"[bold]Weekly report {report['isoWeek']}[/]", align="left")
    console.print(Text(f"{period}, {report['timeZone']}; {told}", style="dim"))
    console.print()
    console.print(Text(headline(WeeklyReport.from_firestore(report)), style="bold"))
    for part in (
        _anomalies(report),
        _tiles(report),
        _days(report),
        *_tables(report),
        *_money(report),
    ):
        console.print()
        console.print(part)
    for each in report["dataQuality"]:
        style = "yellow" if each["severity"] == "warning" else "dim"
        console.print()
        console.print(Text(f"Data quality: {each['message']}", style=style))
    if digest := report.get("digest"):
        console.print(Text(f"\nDigest: {digest['status']} at {digest['at']:%H:%M}", style="dim"))
    console.print()


def _anomalies(report: Report) -> RenderableType:
    if not report["anomalies"]:
        return Text("No anomalies.", style="green")
    table = Table.grid(padding=(0, 2))
    for each in report["anomalies"]:
        severity = Text(f" {each['severity']} ", style=STYLES.get(each["severity"], "dim"))
        table.add_row(severity, Text(each["message"]))
    return table


def _tiles(report: Report) -> RenderableType:
    """The main numbers, each with its change from last week and from the four-week median."""
    tiles = []
    for name, title in TILES.items():
        delta = report["deltas"][name]
        is_rate = name == "successRate"
        number = Text(_number(report["totals"][name], is_rate=is_rate), style="bold")
        changes = [
            _change(delta[f"{against}Change"], name, is_rate=is_rate)
            for against in ("lastWeek", "fourWeekMedian")
        ]
        lines = Group(
            number,
            Text.assemble(changes[0], (" week", "dim")),
            Text.assemble(changes[1], (" median", "dim")),
        )
        tiles.append(Panel(lines, title=title, title_align="left", border_style="dim", width=32))
    return Columns(tiles, padding=(0, 1))


def _number(value: float | None, *, is_rate: bool = False) -> str:
    if value is None:
        return "–"
    return f"{value:.1%}" if is_rate else f"{value:,}"


def _change(change: float | None, name: str, *, is_rate: bool) -> Text:
    if change is None:
        return Text("–", style="dim")
    text = f"{change * 100:+.1f} points" if is_rate else f"{change:+.0%}"
    if round(change, 3) == 0:
        return Text(text, style="dim")
    is_good = (change > 0) != (name in UNWELCOME)
    return Text(text, style="green" if is_good else "red")


def _days(report: Report) -> RenderableType:
    """A bar for each day; the light part was refunded, and │ marks the expected number."""
    by_day, bands = report["byDay"], report["bands"].get("requests", {})
    flagged = {
        date: each["severity"]
        for each in reversed(report["anomalies"])
        for date in (each["date"], *(day["date"] for day in each["days"]))
        if date
    }
    most = max(
        [day["requests"] for day in by_day.values()] + [band["expected"] for band in bands.values()]
    )
    table = Table(box=None, pad_edge=False, header_style="dim", title_justify="left")
    table.add_column("Day", no_wrap=True)
    table.add_column("Generations", width=BAR_WIDTH + 1, no_wrap=True)
    for title in ("", "Normal", "Refunded", "Net credits"):
        table.add_column(title, justify="right", no_wrap=True)
    for date, day in sorted(by_day.items()):
        band = bands.get(date)
        table.add_row(
            Text(date, style=STYLES.get(flagged.get(date, ""), "")),
            _bar(day, band["expected"] if band else None, most),
            f"{day['requests']:,}",
            f"{band['low']:,.0f}–{band['high']:,.0f}" if band else "–",
            f"{day['failed'] + day['canceled']:,}",
            f"{day['creditsNet']:,}",
        )
    return table


def _refunded(day: Mapping[str, Any]) -> int:
    return int(day["failed"] + day["canceled"])


def _bar(day: Mapping[str, Any], expected: float | None, most: float) -> Text:
    scale = BAR_WIDTH / most if most else 0.0
    length, bad = round(scale * day["requests"]), round(scale * _refunded(day))
    cells = [("█", "blue")] * (length - bad) + [("▒", "red")] * bad
    cells += [(" ", "")] * (BAR_WIDTH + 1 - len(cells))
    if expected is not None:
        place = min(BAR_WIDTH, round(scale * expected))
        cells[place] = ("│", "yellow" if cells[place][0] == " " else "yellow on blue")
    return Text.assemble(*cells)


def _tables(report: Report) -> Iterator[RenderableType]:
    for dimension in ("Model", "Style", "Color", "Size"):
        rows = report[f"by{dimension}"]
        if rows:
            yield _by_value(dimension, rows)
    if report["topUsers"]:
        table = _table("Top users", "requests", "net credits")
        for each in report["topUsers"]:
            row = (escape(each["userId"]), f"{each['requests']:,}", f"{each['credits']:,}")
            table.add_row(*row)
        yield table


def _money(report: Report) -> Iterator[RenderableType]:
    """Revenue, credits by kind and liability; reports of before have none."""
    if report.get("revenue"):
        columns = ("purchases", "credits", "gross", "refunded", "disputed", "net")
        table = _table("Revenue", *columns, width=12)
        for each in report["revenue"]:
            name = f"{each['currency'].upper()} {each['productId'] or '(unknown)'}"
            sums = (each[column] for column in columns[2:])
            table.add_row(
                escape(f"test {name}" if each["isTest"] else name),
                f"{each['purchases']:,}",
                f"{each['credits']:,}",
                *(money.shown(amount, each["currency"]).split()[0] for amount in sums),
            )
        yield table
    liability = report.get("liability")
    flows = report.get("creditsByKind") or {}
    if flows or (liability and liability["byKind"]):
        columns = ("sold", "granted", "charged", "refunded", "expired", "taken back")
        table = _table("Credits by kind", *columns, "outstanding", width=10)
        outstanding = liability["byKind"] if liability else {}
        for kind in sorted({*flows, *outstanding}):
            row = flows.get(kind, {})
            numbers = [row.get(name, 0) for name in columns[:-1]]
            numbers.append(row.get("clawedBack", 0) - row.get("reinstated", 0))
            left = f"{outstanding.get(kind, 0):,}" if liability else "–"
            table.add_row(kind, *(f"{each:,}" for each in numbers), left)
        yield table
    if liability:
        text = f"Outstanding: {liability['paid']:,} paid and {liability['free']:,} free credits."
        yield Text(text, style="dim")


def _by_value(title: str, rows: Mapping[str, Mapping[str, Any]]) -> Table:
    table = _table(title, "requests", "failed", "canceled", "success", "net credits")
    for name, row in sorted(rows.items(), key=lambda item: (-item[1]["requests"], item[0])):
        table.add_row(
            escape(name),
            *(f"{row[column]:,}" for column in ("requests", "failed", "canceled")),
            _number(row["successRate"], is_rate=True),
            f"{row['creditsNet']:,}",
        )
    return table


def _table(title: str, *columns: str, width: int = 11) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    # Six columns of numbers and their names fill a hundred characters.
    first = min(28, 98 - len(columns) * (width + 1))
    table.add_column(title, width=first, header_style="bold", overflow="ellipsis", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", width=width)
    return table
