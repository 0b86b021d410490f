"""The operators' commands for purchases: what was bought, and what is done about it by hand.

imagegen-admin purchases list [--user U] [--status S] [--since 2026-11-01] [--limit 50]
imagegen-admin purchases show PURCHASE
imagegen-admin waive USER CREDITS --reason R --key K
imagegen-admin refund-purchase PURCHASE --reason R [--undo]
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from imagegen import db
from imagegen.firestore.stored import MalformedDocument
from imagegen.purchases import listing, operators
from imagegen.purchases.listing import PurchaseDetails
from imagegen.purchases.purchase import PurchaseDocument, PurchaseStatus
from imagegen.purchases.revenuecat_events import DECIMALS
from ops.terminal import log_lines, operator, out, print_json, problems

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


def waive(
    context: typer.Context,
    user: Annotated[str, typer.Argument(help="The user's id.")],
    number: Annotated[int, typer.Argument(min=1, max=1_000_000, metavar="CREDITS")],
    reason: Annotated[str, typer.Option(help="The reason, which stays in the log of actions.")],
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
    reason: Annotated[str, typer.Option(help="The reason, which stays in the log of actions.")],
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


def money(amount: int, currency: str) -> str:
    """4.99 usd for 499 of the smallest unit, 500 jpy for 500."""
    decimals = DECIMALS.get(currency, 2)
    return f"{amount / 10**decimals:,.{decimals}f} {currency}".rstrip()


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
            money(each.amount, each.currency),
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
