"""The pages of the stand-in: a checkout, a portal, and all payments with buttons for them."""

from __future__ import annotations

from html import escape

from stripe_stub.objects import Json
from stripe_stub.world import World

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem;
  color: #1a1f36; background: #f6f8fa }
main, article { background: #fff; border: 1px solid #e3e8ee; border-radius: 8px;
  padding: 1rem 1.5rem; margin-bottom: 1rem }
form { display: inline }
button { font: inherit; padding: .4rem .9rem; margin: .2rem .3rem .2rem 0; border-radius: 6px;
  border: 1px solid #c1c9d2; background: #fff; cursor: pointer }
button.primary { background: #635bff; border-color: #635bff; color: #fff }
code { font-size: .85em; color: #697386 }
"""


def checkout(session: Json, message: str = "") -> str:
    """Where a customer pays: Pay, Decline, Pay later."""
    what = "per period" if session["mode"] == "subscription" else "once"
    base = f"/checkout/{session['id']}"
    buttons = button(f"{base}/pay", "Pay", primary=True) + button(f"{base}/decline", "Decline")
    if session["mode"] == "payment":
        buttons += button(f"{base}/later", "Pay later")
    return page(
        "Checkout",
        f"<main><h1>{money(session['amount_total'])} {what}</h1>"
        f"<p role=status>{escape(message)}</p>{buttons}"
        f"<p><a href='{escape(session['cancel_url'])}'>Back to the app</a></p>"
        "<p>This is a stand-in for Stripe: no money moves. "
        "<a href='/'>All payments</a> can be refunded and disputed.</p></main>",
    )


def portal(world: World, session: Json) -> str:
    """Where a customer sees and ends subscriptions."""
    found = world.all("subscription", customer=session["customer"])
    shown = "".join(
        f"<p>{_subscription(each)} " + button(f"/subscriptions/{each['id']}/cancel", "Cancel")
        for each in found
    )
    back = f"<p><a href='{escape(session['return_url'])}'>Back to the app</a></p>"
    return page("Portal", f"<main><h1>Subscriptions</h1>{shown or '<p>None.</p>'}{back}</main>")


def dashboard(world: World) -> str:
    """Everything that was paid, and buttons for what may happen to it."""
    sessions = [s for s in world.all("checkout.session") if s["status"] == "complete"]
    waiting = "".join(
        f"<article>{money(each['amount_total'])} is under way <code>{each['id']}</code><br>"
        + button(f"/checkout/{each['id']}/succeed", "Succeed")
        + button(f"/checkout/{each['id']}/fail", "Fail")
        + "</article>"
        for each in sessions
        if each["payment_status"] == "unpaid"
        and world.get(each["payment_intent"])["status"] == "processing"
    )
    running = "".join(
        f"<article>{_subscription(each)} <code>{each['id']}</code><br>"
        + button(f"/subscriptions/{each['id']}/renew", "Next period")
        + button(f"/subscriptions/{each['id']}/cancel", "Cancel")
        + "</article>"
        for each in world.all("subscription", status="active")
    )
    paid = "".join(_payment(world, each) for each in world.all("charge"))
    nothing = "<main>Nothing has been paid yet.</main>"
    return page("Payments", f"<h1>Payments</h1>{waiting}{running}{paid}" if paid else nothing)


def _payment(world: World, charge: Json) -> str:
    base = f"/payments/{charge['payment_intent']}"
    left = charge["amount"] - charge["amount_refunded"]
    buttons = ""
    if left:
        half = charge["amount"] // 2
        buttons += button(f"{base}/refund?amount={half}", "Refund half")
        buttons += button(f"{base}/refund", "Refund")
    disputes = world.all("dispute", charge=charge["id"])
    if left and not disputes:
        buttons += button(f"{base}/dispute", "Dispute")
    for each in disputes:
        if each["status"] == "needs_response":
            buttons += button(f"/disputes/{each['id']}/win", "Win the dispute")
            buttons += button(f"/disputes/{each['id']}/lose", "Lose the dispute")
    state = f", {money(charge['amount_refunded'])} refunded" if charge["amount_refunded"] else ""
    state += "".join(f", dispute {each['status']}" for each in disputes)
    return (
        f"<article>{money(charge['amount'])}{state} "
        f"<code>{charge['payment_intent']}</code><br>{buttons}</article>"
    )


def _subscription(it: Json) -> str:
    price = it["items"]["data"][0]["price"]
    amount, interval = money(price["unit_amount"]), price["recurring"]["interval"]
    return f"{amount} per {interval}, {it['status']}"


def button(action: str, label: str, *, primary: bool = False) -> str:
    kind = " class=primary" if primary else ""
    return f"<form method=post action='{escape(action)}'><button{kind}>{label}</button></form>"


def money(amount: int) -> str:
    return f"${amount / 100:.2f}"


def page(title: str, content: str) -> str:
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
        f"<meta name=viewport content='width=device-width'><style>{STYLE}</style>{content}</html>"
    )
