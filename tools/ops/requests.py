"""The operators' commands for generation requests.

imagegen-admin requests goodwill REQUEST --reason R   grant the price of a completed one, once
imagegen-admin requests retry REQUEST --reason R      try a failed one again, for free, once
imagegen-admin requests cancel REQUEST --reason R     end a background request that is pending
imagegen-admin requests recover --reason R            fail and refund what was lost, now
"""

from __future__ import annotations

from typing import Annotated

import typer

from emulators.problem import Problem
from imagegen import actions
from imagegen.api.auth import Caller
from imagegen.generation import amends, recovery
from ops.credentials import find_bucket
from ops.terminal import Reason, log_lines, operator, problems, show

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Request = Annotated[str, typer.Argument(help="The request's id.")]


@app.callback()
def requests_() -> None:
    """Make amends for generation requests, cancel them, recover lost ones."""
    with problems():
        find_bucket()  # where images that nobody is given are deleted, and photos looked at


@app.command()
def goodwill(context: typer.Context, request: Request, reason: Reason) -> None:
    """Grant the price of a completed request, once: it is no refund."""
    with problems():
        granted = amends.goodwill(request, by=operator(), reason=reason)
    done = "Granted" if granted.is_new else "Had been granted before"
    result = {
        "entryId": granted.entry_id,
        "isNew": granted.is_new,
        "currentCredits": granted.balance,
    }
    show(context, result, f"{done}. The user has {granted.balance:,} credits now.")


@app.command()
def retry(context: typer.Context, request: Request, reason: Reason) -> None:
    """Try a failed request again, for free, once; it runs in the background."""
    with problems(), log_lines(lambda line: None):
        caller = Caller(uid=operator(), is_admin=True)
        made, is_new = amends.retry(request, by=operator(), reason=reason, caller=caller)
    result = {"generationRequestId": made.id, "isNew": is_new, "status": made.status}
    done = "Ordered" if is_new else "Had been ordered before"
    show(context, result, f"{done} as {made.id}, which is {made.status}.")


@app.command()
def cancel(context: typer.Context, request: Request, reason: Reason) -> None:
    """End a background request that is still pending, with a refund."""
    with problems(), log_lines(lambda line: None):
        settled = amends.cancel(request, by=operator(), reason=reason)
    result = {"generationRequestId": settled.id, "refundedCredits": settled.refunded_credits}
    show(context, result, f"Canceled: {settled.refunded_credits:,} credits refunded.")


@app.command()
def recover(context: typer.Context, reason: Reason) -> None:
    """Fail and refund the requests that were lost, now."""
    with problems(), log_lines(lambda line: None):
        actions.record_alone("recovery", "", by=operator(), reason=reason)
        settled, failures = recovery.recover_all()
        if failures:
            raise Problem(f"{failures:,} requests could not be settled; {settled:,} were.")
    show(context, {"recoveredRequests": settled}, f"{settled:,} requests recovered.")
