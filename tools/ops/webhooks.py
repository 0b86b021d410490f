"""The operators' commands for webhooks: who is told of events, and what is delivered again.

imagegen-admin webhooks register URL --reason R [--type generation.completed …]
imagegen-admin webhooks list
imagegen-admin webhooks rotate ENDPOINT --reason R   for a day, the old secret signs, too
imagegen-admin webhooks disable|enable|test ENDPOINT --reason R
imagegen-admin webhooks redeliver ENDPOINT --reason R (--event ID | --since 2026-11-20T08:00)
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from imagegen import clock
from imagegen.actions import Operator
from imagegen.notifications import redelivery, registration, webhooks
from imagegen.notifications.webhooks import WebhookEndpoint
from ops.terminal import Reason, operator, problems, show

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

Endpoint = Annotated[str, typer.Argument(help="The endpoint's id.")]


@app.callback()
def webhooks_(context: typer.Context) -> None:
    """Register servers that are told of events, and deliver events again (docs/events.md)."""


@app.command()
def register(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="An https URL at a public address.")],
    reason: Reason,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="A type of event; without it, all.")
    ] = None,
) -> None:
    """Register a server; prints its id and the secret that its deliveries are signed with."""
    with problems():
        endpoint_id, secret = registration.register(url, types or (), operator=_operator(reason))
    shown = {"id": endpoint_id, "secret": secret}
    text = f"{endpoint_id}\n{secret}\nKeep the secret where the server can read it."
    show(context, shown, text)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the endpoints, without their secrets."""
    with problems():
        endpoints = [_shown(each) for each in registration.listed()]
    lines = [
        f"{each['id']}  {each['state']}\n    {each['url']}\n    {', '.join(each['types'])}"
        for each in endpoints
    ]
    show(context, endpoints, "\n".join(lines) or "No endpoint is registered.")


@app.command()
def rotate(context: typer.Context, endpoint: Endpoint, reason: Reason) -> None:
    """Make a new secret; for 24 hours deliveries are signed with both."""
    with problems():
        secret = registration.rotate(endpoint, operator=_operator(reason))
    show(context, {"id": endpoint, "secret": secret}, secret)


@app.command()
def disable(context: typer.Context, endpoint: Endpoint, reason: Reason) -> None:
    """Send nothing more to an endpoint."""
    with problems():
        shown = _shown(webhooks.disable(endpoint, operator=_operator(reason)))
    show(context, shown, f"{endpoint} is {shown['state']}.")


@app.command()
def enable(context: typer.Context, endpoint: Endpoint, reason: Reason) -> None:
    """Send events to an endpoint again, from now on."""
    with problems():
        shown = _shown(registration.enable(endpoint, operator=_operator(reason)))
    show(context, shown, f"{endpoint} is {shown['state']}.")


@app.command()
def test(context: typer.Context, endpoint: Endpoint, reason: Reason) -> None:
    """Send an event of the type `test`."""
    with problems():
        event_id = redelivery.send_test(endpoint, operator=_operator(reason))
    show(context, {"eventId": event_id}, f"Sent as {event_id}.")


@app.command()
def redeliver(
    context: typer.Context,
    endpoint: Endpoint,
    reason: Reason,
    event: Annotated[str, typer.Option(help="The event's id.")] = "",
    since: Annotated[
        datetime | None, typer.Option(help="What was missed since then, in UTC.")
    ] = None,
) -> None:
    """Deliver one event again, or all that an endpoint has missed."""
    if bool(event) == bool(since):
        raise typer.BadParameter("give either --event or --since")
    with problems():
        if event:
            redelivery.redeliver(event, endpoint, operator=_operator(reason))
            number = 1
        else:
            moment = (since or clock.now()).replace(tzinfo=UTC)
            number = redelivery.redeliver_missed(endpoint, moment, operator=_operator(reason))
    show(context, {"events": number}, f"{number:,} delivered again.")


def _shown(endpoint: WebhookEndpoint) -> dict[str, Any]:
    state = "enabled"
    if endpoint.disabled_at is not None:
        state = f"disabled since {endpoint.disabled_at:%Y-%m-%d %H:%M}: {endpoint.disabled_reason}"
    elif endpoint.failing_since is not None:
        state = f"failing since {endpoint.failing_since:%Y-%m-%d %H:%M}"
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "types": list(endpoint.types),
        "state": state,
        "createdAt": endpoint.created_at,
    }


def _operator(reason: str) -> Operator:
    return Operator(operator(), reason)
