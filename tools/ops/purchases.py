"""The operators' commands for purchases: what was bought, and what is done about it by hand.

imagegen-admin purchases list [--user U] [--status S] [--since 2026-11-01] [--limit 50]
imagegen-admin purchases show PURCHASE
imagegen-admin purchases reconcile [EXPORT.csv] [--since 2026-11-01] [--until 2026-12-01]
                                   [--book --reason R]
imagegen-admin waive USER CREDITS --reason R --key K
imagegen-admin refund-purchase PURCHASE --reason R [--undo]
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from emulators.problem import Problem
from imagegen import actions, clock, db
from imagegen.firestore.stored import MalformedDocument
from imagegen.purchases import links, listing, money, operators
from imagegen.purchases.listing import PurchaseDetails
from imagegen.purchases.purchase import PurchaseDocument, PurchaseStatus
from imagegen.purchases.stripe_api import StripeRefused
from ops import reconciliation
from ops.stripe_payments import from_api, from_export, period
from ops.terminal import (
    Reason,
    log_lines,
    operator,
    out,
    print_json,
    problems,
    require_reason,
)

UNDER_WAY = timedelta(minutes=10)

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

PurchaseId = Annotated[str, typer.Argument(metavar="PURCHASE", help="The purchase's id.")]


@app.callback()
def purchases_(context: typer.Context) -> None:
    """List purchases, and compare them with Stripe's (docs/credits.md)."""


@app.command("list")
def list_(
    context: typer.Context,
    user: Annotated[str, typer.Option(help="Those of one user.")] = "",
    status: Annotated[PurchaseStatus | None, typer.Option(help="Those with a status.")] = None,
    since: Annotated[datetime | None, typer.Option(help="Begun since then, in UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
) -> None:
    """List purchases, the newest first."""
    with problems():
        moment = since.replace(tzinfo=UTC) if since else None
        found = db.query(listing.query(limit, user_id=user, status=status, since=moment))
        shown = []
        for document in found:
            try:
                shown.append(PurchaseDetails.from_document(PurchaseDocument(document)))
            except MalformedDocument:
                out.print(f"{document.path} is malformed; see the audit.", style="red")
    if context.obj:  # --json
        print_json([_json(each) for each in shown])
    elif shown:
        out.print(_table(shown))
    else:
        out.print("No such purchase.")


@app.command()
def show(context: typer.Context, purchase: PurchaseId) -> None:
    """Show everything about a purchase."""
    with problems():
        found = _json(listing.get(purchase))
    if context.obj:
        print_json(found)
    else:
        for name, value in found.items():
            out.print(f"{name:20} {value}", markup=False, soft_wrap=True)


@app.command()
def reconcile(
    context: typer.Context,
    export: Annotated[
        Path | None,
        typer.Argument(
            metavar="EXPORT.csv",
            help="Payments that the Stripe Dashboard exported with all columns; without it, "
            "Stripe's API is asked, with STRIPE_SECRET_KEY.",
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(help="Compare what was paid since then, in UTC; else 30 days, or the file."),
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(help="And before then; else ten minutes ago, or the file.")
    ] = None,
    book: Annotated[
        bool, typer.Option("--book", help="Fetch what differs from Stripe's API and book it.")
    ] = False,
    reason: Annotated[
        str, typer.Option(help="Why, with --book, which stays in the log of actions.")
    ] = "",
) -> None:
    """Compare purchases with Stripe's payments; exits with 1 if they differ.

    Amounts are in the currency's smallest unit. Booking is safe to repeat: what is booked already
    stays as it is.
    """
    if book:
        reason = require_reason(reason, "--book")
    start, end = (each.replace(tzinfo=UTC) if each else None for each in (since, until))
    booked: dict[str, list[str]] = {}
    with problems(), stripe_problems(), log_lines(lambda line: None):
        compared = _compared(export, start, end)
        if book and compared.differences:
            for intent in sorted({each.payment_intent for each in compared.differences} - {""}):
                subject = links.path(intent)
                actions.record_alone("reconcile", subject, by=operator(), reason=reason)
                booked[intent] = reconciliation.book(intent)
            compared = _compared(export, start, end)
    result = {
        "payments": compared.payments,
        "purchases": compared.purchases,
        "booked": booked,
        "differences": [each.as_json() for each in compared.differences],
    }
    if context.obj:  # --json
        print_json(result)
    else:
        _show_comparison(compared, booked)
    if compared.differences:
        raise typer.Exit(1)


def _compared(
    export: Path | None, since: datetime | None, until: datetime | None
) -> reconciliation.Comparison:
    if export is not None:
        payments = from_export(export)
        first, last = period(payments)
        start, end = since or first, until or last + timedelta(seconds=1)
        within = [each for each in payments if start <= each.at < end]
        return reconciliation.compare(within, start, end, with_api=False)
    # What was paid just now may be booked in a moment.
    end = until or clock.now() - UNDER_WAY
    start = since or end - timedelta(days=30)
    return reconciliation.compare(from_api(start, end), start, end, with_api=True)


@contextmanager
def stripe_problems() -> Iterator[None]:
    """Say what Stripe said no to."""
    try:
        yield
    except StripeRefused as error:
        raise Problem(
            f"Stripe refused: {error}. Is STRIPE_SECRET_KEY set, and may it read Charges, Checkout "
            "Sessions, Disputes, Invoices and Refunds?"
        ) from error


def _show_comparison(
    compared: reconciliation.Comparison, booked: Mapping[str, Sequence[str]]
) -> None:
    for intent, done in booked.items():
        out.print(f"{intent}: {'; '.join(done)}", markup=False, soft_wrap=True)
    read = f"{compared.payments:,} payments of Stripe and {compared.purchases:,} purchases"
    if not compared.differences:
        out.print(f"[green]No difference[/] between {read}.")
        return
    out.print(f"[bold red]{len(compared.differences):,} differences[/] between {read}:")
    for each in compared.differences:
        names = " ".join(filter(None, (each.payment_intent, each.purchase_id)))
        out.print(f"{each.problem}: {names}: {each.message}", markup=False, soft_wrap=True)


def waive(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="The user's id.")],
    number: Annotated[int, typer.Argument(min=1, max=1_000_000, metavar="CREDITS")],
    reason: Reason,
    key: Annotated[str, typer.Option(help="The name of this waiver, e.g. a ticket; once only.")],
) -> None:
    """Waive what a user owes for refunded purchases, once for each key."""
    with problems():
        waived = operators.waive(user, number, by=operator(), key=key, reason=reason)
    done = "waived" if waived.is_new else "were waived before; nothing changed"
    text = f"{number:,} credits {done}. {user} owes {waived.debt:,} now."
    _show(context, {"isNew": waived.is_new, "debt": waived.debt}, text)


def refund(
    context: typer.Context,
    purchase: PurchaseId,
    reason: Reason,
    undo: Annotated[
        bool, typer.Option("--undo", help="It was not refunded: give the credits back.")
    ] = False,
) -> None:
    """Take back the credits of a store purchase that was refunded and RevenueCat does not tell.

    Moves no money. Repeating it changes nothing.
    """
    with problems(), log_lines(lambda line: None):  # what is printed says the same
        found = operators.refund(purchase, by=operator(), reason=reason, undo=undo)
        state = PurchaseDetails.from_document(found)
    text = (
        f"{purchase} is {state.status}: of {state.credits:,} credits, "
        f"{state.clawed_back_credits:,} are taken back and {state.owed_credits:,} owed."
    )
    _show(context, _json(state), text)


def _table(found: list[PurchaseDetails]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("Begun", no_wrap=True)
    for title in ("Purchase", "User", "Product"):
        table.add_column(title, overflow="fold")
    table.add_column("Money", justify="right", no_wrap=True)
    table.add_column("Credits", justify="right")
    table.add_column("Status")
    for each in found:
        taken = [
            f"{number:,} {what}"
            for number, what in (
                (each.clawed_back_credits, "taken back"),
                (each.owed_credits, "owed"),
                (each.waived_credits, "waived"),
            )
            if number
        ]
        status = [str(each.status), each.reason, "test" if each.is_test else None]
        table.add_row(
            f"{each.created_at:%m-%d %H:%M}",
            *map(escape, (each.purchase_id, each.user_id, each.product_id)),
            money.shown(each.amount, each.currency),
            "\n".join([f"{each.credits:,}", *taken]),
            "\n".join(filter(None, status)),
        )
    return table


def _json(purchase: PurchaseDetails) -> dict[str, Any]:
    return purchase.model_dump(mode="json", by_alias=True)


def _show(context: typer.Context, value: Any, text: str) -> None:
    if context.obj:  # --json
        print_json(value)
    else:
        out.print(text, markup=False, soft_wrap=True)
