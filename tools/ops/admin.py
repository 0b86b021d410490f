"""The operators' commands: show reports, audit the ledger, grant credits, make demo data.

    imagegen-admin report [--week 2026-W46]             show a weekly report, made if there is none
    imagegen-admin report [--week W] --run --reason R   make it again
    imagegen-admin audit                                check every balance, entry and request
    imagegen-admin grant USER CREDITS --reason R --key K [--request ID]
    imagegen-admin catalogue …                          show and change what is on offer
    imagegen-admin requests …                           cancel, retry, goodwill, recover
    imagegen-admin webhooks …                           who is told of events (ops/webhooks.py)
    imagegen-admin image-reports …                      reported images (ops/image_reports.py)
    imagegen-admin purchases …                          what was bought (ops/purchases.py)
    imagegen-admin status USER active|disabled --reason R
    imagegen-admin delete USER --reason R               delete the account of a user who asks for it
    imagegen-admin export USER --reason R               everything stored about a user, as a file
    imagegen-admin transfer FROM TO --reason R --key K  move what a user has bought to another
    imagegen-admin book PURCHASE --reason R [--user U]  book a purchase that was unmatched
    imagegen-admin refund-purchase PURCHASE --reason R  a store has refunded it untold
    imagegen-admin waive USER CREDITS --reason R --key K   waive what a user owes
    imagegen-admin repair USER --reason R [--credits N] mend an account with a malformed balance
    imagegen-admin demo-data [--weeks 12] [--seed 7]    invent an app with a history

This is only the command line: it parses and prints.
"""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Annotated

import typer

from demo import data
from emulators.problem import Problem
from imagegen import actions, clock, db, firebase
from imagegen.accounts import account, delete, export, merge
from imagegen.actions import Operator
from imagegen.audit import project as auditing
from imagegen.credits import ledger, repair
from imagegen.credits.user import AccountStatus
from imagegen.purchases import booking, buyer
from imagegen.purchases.purchase import PurchaseStatus
from imagegen.report import weekly, weeks
from ops import catalogue, image_reports, purchases, rendering, requests, results, webhooks
from ops.credentials import OperatorCredentials
from ops.terminal import (
    Reason,
    connect_to,
    log_lines,
    operator,
    out,
    print_json,
    problems,
    progress,
    require_reason,
)

EXPORT_SECONDS = 600.0
EXPORT_POLL_SECONDS = 1.0

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.add_typer(catalogue.app, name="catalogue")
app.add_typer(requests.app, name="requests")
app.add_typer(webhooks.app, name="webhooks")
app.add_typer(image_reports.app, name="image-reports")
app.add_typer(purchases.app, name="purchases")
app.command()(purchases.waive)
app.command("refund-purchase")(purchases.refund)
as_json = False


@app.callback()
def connect(
    context: typer.Context,
    project: Annotated[str, typer.Option(help="A Firebase project instead of the emulators.")] = "",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show reports, audit the ledger, grant credits, make demo data.

    Works on the emulators of `make run`, or with --project on that Firebase project, with the
    credentials of `gcloud auth application-default login`. --project and --json come before the
    command. Exit codes: 0 success, 1 failure or findings of the audit, 2 wrong usage.
    """
    global as_json  # noqa: PLW0603 - given once, before the command
    as_json = context.obj = json_
    connect_to(project)
    if project:
        firebase.start(OperatorCredentials(project))


@app.command()
def report(
    week: Annotated[
        str, typer.Option(help="ISO week, e.g. 2026-W46, instead of the last one.")
    ] = "",
    run: Annotated[
        bool, typer.Option("--run", help="Make the report again if it is stored.")
    ] = False,
    reason: Annotated[
        str, typer.Option(help="Why, with --run, which stays in the log of actions.")
    ] = "",
) -> None:
    """Show a weekly report; if it is not stored yet, or with --run, it is made first."""
    if run:
        reason = require_reason(reason, "--run")
    with problems():
        wanted = weeks.named(week, clock.time_zone()) if week else _last_week()
        reference = db.client().document(f"reports/{wanted.name}")
        stored = None if run else reference.get().to_dict()
        if run:
            actions.record_alone("report", reference.path, by=operator(), reason=reason)
        if stored is None:
            with progress() as bar:
                task = bar.add_task(f"Making the report of {wanted.name}", total=7)
                with log_lines(lambda line: bar.advance(task, line == "report day read")):
                    stored = weekly.run(week=wanted.name).to_firestore()
    if as_json:
        print_json(stored)
    else:
        rendering.show(stored, out)


def _last_week() -> weeks.Week:
    return weeks.ended_by(clock.now(), clock.time_zone())


@app.command()
def audit() -> None:
    """Check every balance against the ledger, every request and purchase against its entries.

    Warnings (unmatched purchases, parked refunds) are listed and are no failure.
    """
    with problems(), progress() as bar:
        task = bar.add_task("Auditing", total=None)

        def read(so_far: auditing.Audit) -> None:
            if so_far.users % 20 == 0:
                text = f"Auditing: {so_far.users:,} users, {so_far.entries:,} entries"
                bar.update(task, description=text)

        audited = auditing.run(db.client(), read)
    if as_json:
        print_json(audited.as_json())
    else:
        results.show_audit(audited.as_json(), out)
    if audited.error_count:
        raise typer.Exit(1)


@app.command()
def grant(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    number: Annotated[int, typer.Argument(min=1, max=1_000_000, metavar="CREDITS")],
    reason: Annotated[str, typer.Option(help="The reason, which stays in the user's history.")],
    key: Annotated[
        str, typer.Option(help="The name of this grant, e.g. a ticket; given once only.")
    ],
    request: Annotated[str, typer.Option(help="The completed request that it is for.")] = "",
) -> None:
    """Grant credits to a user, once for each key."""
    with problems():
        granted = ledger.grant_credits(
            user,
            number,
            key=key,
            reason=reason,
            by=operator(),
            generation_request_id=request or None,
        )
    result = {
        "entryId": granted.entry_id,
        "isNew": granted.is_new,
        "currentCredits": granted.balance,
    }
    if as_json:
        print_json(result)
    else:
        done = "granted" if granted.is_new else "were granted before; nothing changed"
        out.print(f"{number:,} credits {done}. {user} has {granted.balance:,} now.", markup=False)


@app.command()
def book(
    purchase: Annotated[str, typer.Argument(help="The purchase's id.")],
    reason: Reason,
    user: Annotated[str, typer.Option(help="Whose it is, where the payment does not say.")] = "",
) -> None:
    """Book a purchase that was unmatched, once: its product has appeared, or --user has paid it."""
    with problems():
        if user and not buyer.is_known(user):
            raise Problem(f"There is no user {user}.")
        try:
            with log_lines(lambda line: None):  # what is printed says the same
                asked = Operator(operator(), reason)
                booked = booking.book_again(purchase, user, operator=asked)
        except LookupError as error:
            raise Problem(f"{error.args[0]}.") from error
        if booked.status is PurchaseStatus.UNMATCHED:
            raise Problem(f"{purchase} is still unmatched: {booked.reason}.")
    result = {
        "purchaseId": purchase,
        "userId": booked.user_id,
        "status": booked.status,
        "credits": booked.credits,
    }
    if as_json:
        print_json(result)
    else:
        out.print(
            f"{purchase} is {booked.status}: {booked.credits:,} credits of {booked.user_id}.",
            markup=False,
        )


@app.command("repair")
def repair_account(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    reason: Reason,
    credits_: Annotated[
        str,
        typer.Option(
            "--credits", help="The balance the user should have; what the ledger lacks is granted."
        ),
    ] = "",
) -> None:
    """Make an account usable again whose credits, ledgerSequence or debt are malformed."""
    if credits_ and not credits_.isdecimal():
        raise typer.BadParameter("--credits must be a whole number")
    with problems():
        credits = int(credits_) if credits_ else None
        done = repair.repair(user, by=operator(), reason=reason, credits=credits)
    result = {
        "malformed": dict(done.malformed),
        "grantedCredits": done.granted,
        "currentCredits": done.balance,
    }
    if as_json:
        print_json(result)
    elif done.malformed:
        fields = ", ".join(f"{name} was {value}" for name, value in done.malformed.items())
        out.print(f"Repaired: {fields}.", markup=False)
        out.print(
            f"{done.granted:,} credits granted. {user} has {done.balance:,} now.", markup=False
        )
    else:
        out.print(f"Nothing to repair. {user} has {done.balance:,} credits.", markup=False)


class SettableStatus(StrEnum):
    """What an operator may set."""

    ACTIVE = AccountStatus.ACTIVE
    DISABLED = AccountStatus.DISABLED


@app.command("status")
def set_status(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    status: Annotated[SettableStatus, typer.Argument(help="What the account should be.")],
    reason: Reason,
) -> None:
    """Disable an account, so that nothing can be spent or bought, or make it active again."""
    with problems(), log_lines(lambda line: None):  # what is printed says the same
        account.set_status(user, AccountStatus(status), by=operator(), reason=reason)
    if as_json:
        print_json({"userId": user, "status": status})
    else:
        out.print(f"{user} is {status}.", markup=False)


@app.command("delete")
def delete_account(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    reason: Reason,
) -> None:
    """Delete the account of a user who has asked for it; it goes on in the background."""
    with problems(), log_lines(lambda line: None):
        deletion = delete.delete_for(user, by=operator(), reason=reason)
    stores = [vars(each) for each in deletion.store_subscriptions]
    if as_json:
        print_json({"userId": user, "status": deletion.status, "storeSubscriptions": stores})
        return
    out.print(f"{user} is {deletion.status}.", markup=False)
    for each in deletion.store_subscriptions:
        text = f"To be ended by the user: {each.product_id} in {each.store}"
        out.print(f"{text}, paid until {each.period_end:%Y-%m-%d}.", markup=False)


@app.command("export")
def export_account(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    reason: Reason,
) -> None:
    """Write everything that is stored about a user into a file; prints its link, once it is there.

    The file is deleted after a day.
    """
    with problems(), progress() as bar, log_lines(lambda line: None):
        bar.add_task("Exporting", total=None)
        asked = Operator(operator(), reason)
        found = export.export(user, asked)
        end = time.monotonic() + EXPORT_SECONDS
        while found.url is None:
            if time.monotonic() > end:
                raise Problem("It is not written yet; the log of processAccount says why.")
            time.sleep(EXPORT_POLL_SECONDS)
            found = export.export(user, asked)
    if as_json:
        print_json({"url": found.url, "expiresAt": found.expires_at})
    else:
        out.print(found.url, markup=False, soft_wrap=True)


@app.command()
def transfer(
    source: Annotated[str, typer.Argument(metavar="FROM", help="Whose credits they are.")],
    target: Annotated[str, typer.Argument(metavar="TO", help="Who gets them.")],
    reason: Annotated[str, typer.Option(help="The reason, which stays in both histories.")],
    key: Annotated[str, typer.Option(help="The name of this transfer; done once only.")],
) -> None:
    """Move what a user has bought to another: lots, purchases, subscriptions and debt."""
    with problems(), log_lines(lambda line: None):
        moved = merge.transfer(source, target, by=operator(), key=key, reason=reason)
    if as_json:
        print_json({"transferredCredits": moved.transferred, "currentCredits": moved.balance})
    else:
        out.print(
            f"{moved.transferred:,} credits moved. {target} has {moved.balance:,} now.",
            markup=False,
        )


@app.command("demo-data")
def demo(
    number: Annotated[int, typer.Option("--weeks", min=1, max=52, help="How many weeks.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed invents the same data.")] = 7,
    force: Annotated[bool, typer.Option("--force", help="Write to a real project, too.")] = False,
) -> None:
    """Write several weeks of an invented app, with their reports and a few anomalies."""
    with problems():
        if not force and not data.is_safe(db.client()):
            raise Problem(f"{db.client().project} is a real project: add --force to write to it.")
        with progress() as bar, log_lines(lambda line: None):
            task = bar.add_task("Inventing", total=data.steps(number))

            def done(what: str, steps: int) -> None:
                bar.update(task, description=f"Inventing: {what}", advance=steps)

            planted = data.make(db.client(), number, seed, done)
    result = [each.as_json() for each in planted]
    if as_json:
        print_json(result)
    else:
        results.show_planted(result, out)


if __name__ == "__main__":
    app()
