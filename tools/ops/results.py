"""The results of the audit and of the demo data, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


def show_audit(audit: Mapping[str, Any], console: Console) -> None:
    """How much was read, and a line for each finding."""
    read = " and ".join(
        [
            ", ".join(f"{audit[name]:,} {name}" for name in ("users", "entries", "requests")),
            f"{audit['purchases']:,} purchases",
        ]
    )
    errors = audit["findingCount"] - audit["warningCount"]
    if not errors:
        console.print(f"[green]The books are right:[/] {read}.")
    if not audit["findingCount"]:
        return
    warnings = f"{audit['warningCount']:,} warnings"
    if errors:
        console.print(f"[bold red]{errors:,} findings[/] and {warnings} in {read}:")
    else:
        console.print(f"[yellow]{warnings}[/], for somebody to see to:")
    table = _findings(audit["findings"])
    console.print(Padding(table, (1, 0)))
    if audit["findingCount"] > len(audit["findings"]):
        console.print(f"… and {audit['findingCount'] - len(audit['findings']):,} more.")


def _findings(findings: Sequence[Mapping[str, str]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("Rule", no_wrap=True)
    table.add_column("Document", overflow="fold")
    table.add_column("What is wrong", overflow="fold")
    for each in findings:
        style = "yellow" if each["severity"] == "warning" else "red"
        severity = Text(each["severity"], style=style)
        table.add_row(severity, each["invariant"], escape(each["path"]), escape(each["message"]))
    return table


def show_planted(planted: Sequence[Mapping[str, Any]], console: Console) -> None:
    """Each incident of the demo data, and what the reports say about it."""
    for each in planted:
        console.print(Text.assemble((each["date"], "bold"), f"  {each['what']}"))
        said = each["message"] or "The report does not mention it."
        style = "green" if each["message"] else "red"
        console.print(Padding(Text(said, style=style), (0, 0, 0, 12)))
