"""What operators do: look at reports, check the books, give credits, make demo data.

    admin.py report [--week 2026-W46] [--run]     show a weekly report; make it first
    admin.py audit                                check every balance, entry and request
    admin.py grant USER CREDITS --reason R --key K [--request ID]
    admin.py demo-data [--weeks 12] [--seed 7]    an invented app with a past

This is only the command line: the work is in `audit`, `demo_data` and the package itself.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functions"))

import audit as auditing
import demo_data
import rendering
import results
from imagegen import clock, db
from imagegen.credits import ledger
from imagegen.report import weekly, weeks
from terminal import connect_to, log_lines, out, print_json, problems, progress
from toolchain import Problem

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
as_json = False


@app.callback()
def connect(
    project: Annotated[str, typer.Option(help="A Firebase project; else the emulators.")] = "",
    json_: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at reports, check the books, give credits, make demo data.

    Works on the emulators of `make run`, or with --project on that Firebase project, with the
    credentials of `gcloud auth application-default login`. --project and --json stand before the
    command. Exit codes: 0 all well, 1 the audit found faults or it cannot be done, 2 misuse.
    """
    global as_json  # noqa: PLW0603 - said once, before the command
    as_json = json_
    connect_to(project)


@app.command()
def report(
    week: Annotated[str, typer.Option(help="ISO week, e.g. 2026-W46; else the last one.")] = "",
    run: Annotated[bool, typer.Option("--run", help="Make it, also if it is stored.")] = False,
) -> None:
    """Show a weekly report; it is made first where there is none, or with --run."""
    with problems():
        wanted = weeks.named(week, clock.time_zone()) if week else _last_week()
        reference = db.client().document(f"reports/{wanted.name}")
        stored = None if run else reference.get().to_dict()
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
    """Check every balance against the ledger and every request against its entries."""
    with problems(), progress() as bar:
        task = bar.add_task("Auditing", total=None)

        def read(so_far: auditing.Audit) -> None:
            if so_far.users % 20 == 0:
                text = f"Auditing: {so_far.users:,} users, {so_far.entries:,} entries"
                bar.update(task, description=text)

        audited = auditing.run(db.client(), read).as_json()
    if as_json:
        print_json(audited)
    else:
        results.show_audit(audited, out)
    if audited["faulty"]:
        raise typer.Exit(1)


@app.command()
def grant(
    user: Annotated[str, typer.Argument(help="The user's id.")],
    number: Annotated[int, typer.Argument(min=1, max=1_000_000, metavar="CREDITS")],
    reason: Annotated[str, typer.Option(help="Why; the user's history keeps it.")],
    key: Annotated[str, typer.Option(help="Names this grant, e.g. a ticket: given only once.")],
    request: Annotated[str, typer.Option(help="A completed request that it is for.")] = "",
) -> None:
    """Give a user credits, once for each key."""
    entry, user_path = ledger.grant_path(user, key), db.user(user)
    request_path = db.generation_request(request)

    def decide(transaction: db.Transaction) -> None:
        named = transaction[request_path] if request else None
        moment = clock.now()
        ledger.grant(transaction, user, number, moment, key=key, reason=reason, request=named)

    with problems():
        before = db.read(entry)[0].exists
        documents = db.transact(decide, entry, user_path, *([request_path] if request else []))
    balance = ledger.balance(documents[user_path])
    result = {"entryId": documents[entry].id, "isNew": not before, "currentCredits": balance}
    if as_json:
        print_json(result)
    else:
        done = "were given before; nothing changed" if before else "given"
        out.print(f"{number:,} credits {done}. {user} has {balance:,} now.", markup=False)


@app.command("demo-data")
def demo(
    number: Annotated[int, typer.Option("--weeks", min=1, max=52, help="Of the past.")] = 12,
    seed: Annotated[int, typer.Option(help="The same seed, the same life.")] = 7,
    force: Annotated[bool, typer.Option("--force", help="Also in a real project.")] = False,
) -> None:
    """Write weeks of an invented app's life, with their reports and a few anomalies."""
    with problems():
        if not force and not demo_data.is_safe(db.client()):
            raise Problem(f"{db.client().project} is a real project: --force, if you mean it.")
        with progress() as bar, log_lines(lambda line: None):
            task = bar.add_task("Inventing", total=demo_data.steps(number))

            def done(what: str, steps: int) -> None:
                bar.update(task, description=f"Inventing: {what}", advance=steps)

            planted = demo_data.make(db.client(), number, seed, done)
    result = [each.as_json() for each in planted]
    if as_json:
        print_json(result)
    else:
        results.show_planted(result, out)


if __name__ == "__main__":
    app()
