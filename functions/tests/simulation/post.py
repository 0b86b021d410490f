"""Events on their way to the webhooks: late, in any order, twice, again until they are taken."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Request, Response
from werkzeug.test import EnvironBuilder

from imagegen.purchases import webhooks
from simulation.plan import Plan
from simulation.world import EPOCH, Task, Violation, World

Json = Mapping[str, Any]
SECRETS = ("whsec_new", "whsec_old")  # one is being replaced by the other
UNAVAILABLE = ("BACKEND_UNAVAILABLE", "PAYMENT_PROVIDER_UNAVAILABLE")
MOST_ATTEMPTS_IN_PEACE = 30


class Post:
    """Sends events as both providers do; raises Violation at an answer that may not be given."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._faults = plan.faults
        self._twice_rate = plan.twice_rate
        self._late_rate = plan.late_rate
        self._calm = plan.calm
        self._clocks_are_right = len(plan.clocks_wrong_by) == 1
        self._functions: dict[str, Callable[[Request], Response]] = {
            "stripe": webhooks.stripe_webhook,
            "revenuecat": webhooks.revenuecat_webhook,
        }

    def send(self, provider: str, event: Json) -> None:
        """Deliver an event until the webhook has taken it, perhaps twice at the same time."""
        with self._world.new_strand():
            random = self._world.random
            copies = 1 + int(random.random() < self._twice_rate and self._world.happens())
            for _ in range(copies):
                is_late = random.random() < self._late_rate and self._world.happens()
                longest = random.choice((0.5, 5, 100)) if is_late else 0.01
                self._deliver(provider, event, longest * random.random())

    def forge(self, provider: str, event: Json) -> None:
        """Deliver an event that the provider has not sent: it must be refused."""
        self._deliver(provider, event, 0, forged=True)

    def _deliver(
        self, provider: str, event: Json, seconds: float, number: int = 1, *, forged: bool = False
    ) -> None:
        def start() -> None:
            said = event.get("event", event)
            about = f"{'somebody' if forged else provider} sends {said['type']} {_named(event)}"
            about += f", attempt {number}" if number > 1 else ""
            request = self._signer(forged=forged).request(provider, event)
            function = self._functions[provider]
            self._world.spawn("webhook", about, lambda: function(request), done=done)

        def done(task: Task) -> None:
            if forged:
                self._require_refused(task)
            elif not self._is_taken(task) or self._is_answer_lost(task):
                if self._faults.over and number > MOST_ATTEMPTS_IN_PEACE:
                    raise Violation(f"{event} is never taken")
                longest = 1.0 if self._faults.over else min(60.0, 0.2 * 3**number)
                pause = longest * (0.5 + self._world.random.random())
                self._deliver(provider, event, pause, number + 1)

        self._world.after(seconds, start)

    def _is_answer_lost(self, task: Task) -> bool:
        lost = not self._faults.over and self._world.random.random() < self._faults.rate
        if lost and self._world.happens():
            self._world.tell(f"    the answer of {task} is lost")
            return True
        return False

    def _is_taken(self, task: Task) -> bool:
        """Whether the event has been taken: RevenueCat wants exactly 200."""
        if task.died:
            return False
        if task.error is not None:
            raise Violation(f"{task} ended with a defect: {task.error!r}") from task.error
        if task.reply.status_code == 200:
            return True
        reason = task.reply.get_json()["error"]["details"]["reason"]
        if reason == "SIGNATURE_INVALID" and not self._clocks_are_right:
            return False
        if reason not in UNAVAILABLE or self._calm:
            raise Violation(f"{task} was answered {reason}: {self._defect()}")
        return False

    def _require_refused(self, task: Task) -> None:
        if not task.died and task.reply.status_code != 400:
            raise Violation(f"{task}, which is forged, was answered {task.reply.status_code}")

    def _defect(self) -> str:
        defects = [each["error"] for each in self._world.log if each.get("message") == "defect"]
        return str(defects[-1]) if defects else ""

    def _signer(self, *, forged: bool) -> Signer:
        secret = "guessed" if forged else self._world.random.choice(SECRETS)
        return Signer(secret, int(EPOCH.timestamp() + self._world.seconds))


@dataclass(frozen=True)
class Signer:
    """Who sends an event, and when."""

    secret: str
    at: int

    def request(self, provider: str, event: Json) -> Request:
        body = json.dumps(event).encode()
        digest = hmac.digest(self.secret.encode(), b"%d.%s" % (self.at, body), "sha256").hex()
        proofs = {
            "stripe": ("Stripe-Signature", f"t={self.at},v1={digest}"),
            "revenuecat": ("Authorization", f"Bearer {self.secret}"),
        }
        builder = EnvironBuilder(method="POST", data=body, headers=[proofs[provider]])
        return Request(builder.get_environ())


def _named(event: Json) -> str:
    it = event["event"]["transaction_id"] if "event" in event else event["data"]["object"]["id"]
    return f"({it[:10]})"
