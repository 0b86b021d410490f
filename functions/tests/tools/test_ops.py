"""The operators' tool, as it is typed: demo data, audit, reports and grants."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import httpx
import pytest
from demo import life
from google.cloud import firestore
from ops import admin, rendering, terminal
from rich.console import Console
from support import projects
from support.accounts import bought, with_lots
from support.books import check_books, ledger_of
from support.orders import order
from typer.testing import CliRunner, Result

from imagegen import tasks
from imagegen.accounts import closing
from imagegen.accounts.worker import process
from imagegen.api.auth import Caller
from imagegen.audit import project as audit
from imagegen.audit.findings import findings
from imagegen.catalogue import catalogue, products
from imagegen.credits import ledger
from imagegen.firestore import client as firestore_client
from imagegen.generation import create as generation
from imagegen.notifications import outbox
from imagegen.purchases import booking
from imagegen.purchases.items import Item
from imagegen.purchases.purchase import Provider

PROJECT = "demo-admin-tests"
WEEKS = 5
Admin = Callable[..., Result]


@pytest.fixture(scope="module")
def run() -> Iterator[Admin]:
    """Runs a command in this process; what it sets in the environment is forgotten at the end."""

    def run(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(admin.app, arguments, catch_exceptions=False)
        assert result.exit_code == code, result.output
        return result

    with mock.patch.dict(os.environ):
        yield run


@pytest.fixture(scope="module")
def demo(emulator: str, client: firestore.Client, run: Admin) -> Iterator[list[dict[str, Any]]]:
    """A project with demo data; what was planted, and what the reports say of it."""
    own = projects.empty(PROJECT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(firestore_client, "_client", own)
        patch.setattr(life, "REQUESTS_A_DAY", 60.0)
        catalogue.forget()
        arguments = ("--json", "demo-data", "--weeks", str(WEEKS), "--seed", "7")
        yield json.loads(run(*arguments).stdout)
    catalogue.forget()


@pytest.fixture
def shared(client: firestore.Client, monkeypatch: pytest.MonkeyPatch) -> firestore.Client:
    """The project of all tests, where `new_user` makes users."""
    monkeypatch.setattr(firestore_client, "_client", client)
    return client


def test_what_demo_data_plants_is_found_and_explained(demo: list[dict[str, Any]]) -> None:
    assert len(demo) == 3
    for planted in demo:
        assert planted["message"], planted
    assert "Driven by style “anime”" in demo[0]["message"]
    assert "“Model B”" in demo[1]["message"]


def test_the_books_of_demo_data_are_right(demo: object, run: Admin) -> None:
    assert "The books are right" in run("audit").stdout
    told = json.loads(run("--json", "audit").stdout)
    assert (told["findingCount"], told["findings"]) == (0, [])
    assert min(told["users"], told["requests"], told["entries"], told["purchases"]) > 60


def test_every_past_week_has_its_report(demo: object, run: Admin) -> None:
    stored = [
        each.to_dict() or {} for each in firestore_client.client().collection("reports").stream()
    ]
    assert len(stored) == WEEKS
    wrong = [each for report in stored for each in report["dataQuality"]]
    assert {each["problem"] for each in wrong} == {"insufficient_history"}


def test_demo_data_is_made_once(demo: object, run: Admin) -> None:
    result = run("demo-data", code=1)
    assert "There is demo data already" in result.stderr


def test_demo_data_stays_out_of_real_projects(run: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(firestore_client, "_client", mock.Mock(project="my-app"))
    monkeypatch.setattr(admin, "connect_to", lambda *_: None)
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)
    assert "my-app is a real project" in run("demo-data", code=1).stderr


def test_the_audit_lists_what_is_wrong_and_fails(demo: object, run: Admin) -> None:
    user = firestore_client.client().document("users/demo-nobody")
    user.set({"credits": -3})
    result = run("audit", code=1)
    assert "I1" in result.stdout
    assert "the balance is -3" in result.stdout
    assert json.loads(run("--json", "audit", code=1).stdout)["findings"][0]["userId"] == user.id
    user.delete()


# --- reports -----------------------------------------------------------------------------------


def rendered(report: dict[str, Any], width: int = 100) -> str:
    console = Console(record=True, width=width, file=open(os.devnull, "w"))  # noqa: SIM115
    rendering.show(report, console)
    return console.export_text()


def test_revenue_credits_and_liability_are_shown_within_a_hundred_columns(
    demo: object, run: Admin
) -> None:
    report = last_report()
    assert min(report["liability"]["paid"], report["liability"]["free"]) > 0
    assert report["revenue"][0]["productId"] == life.PRODUCT
    assert life.PRODUCT in rendered(report)
    row = {"productId": "a-pack-of-five-thousand-credits", "currency": "usd", "isTest": True}
    numbers = {"purchases": 1200, "credits": 6_000_000, "gross": 123_456_789, "refunded": 990}
    revenue = [row | numbers | {"disputed": 0, "net": 123_455_799}]
    text = rendered(report | {"revenue": revenue})
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    for shown in ("1,234,567.89", "Credits by kind", "Outstanding: "):
        assert shown in text
    older = {name: report[name] for name in report if name not in ("revenue", "liability")}
    assert "Outstanding" not in rendered(older | {"creditsByKind": None})


def last_report() -> dict[str, Any]:
    reports = firestore_client.client().collection("reports").order_by("isoWeek").stream()
    return [each.to_dict() or {} for each in reports][-1]


def test_a_report_is_shown_whole_within_a_hundred_columns(demo: list[dict[str, Any]]) -> None:
    report = last_report()
    text = rendered(report)
    assert max(len(line.rstrip()) for line in text.splitlines()) <= 100
    flat = " ".join(text.split())
    for each in report["anomalies"]:
        assert each["severity"] in flat
        assert " ".join(each["message"].split()[:5]) in flat
    for expected in (*report["byDay"], *report["byStyle"], *report["bySize"], "success rate"):
        assert expected in flat
    for user in report["topUsers"]:
        assert user["userId"] in flat
    assert f"{report['totals']['requests']:,} generations" in flat
    assert "█" in text


def test_an_empty_week_can_be_shown_too(demo: object, run: Admin) -> None:
    text = run("report", "--week", "2020-W02").stdout
    assert "0 generations" in text
    assert "No anomalies." in text
    assert "Data quality: Counts were not tested" in text


def test_a_stored_report_is_shown_and_made_again_only_if_asked(demo: object, run: Admin) -> None:
    week = last_report()["isoWeek"]
    before = json.loads(run("--json", "report", "--week", week).stdout)
    assert before["revision"] == 1
    run("report", "--week", week, "--run", code=2)
    why = ("--reason", "late requests")
    again = json.loads(run("--json", "report", "--week", week, "--run", *why).stdout)
    assert again["revision"] == 2
    changed = {name for name in before if before[name] != again[name]}
    assert changed <= {"generatedAt", "revision"}
    assert json.loads(run("--json", "report").stdout)["isoWeek"] == week
    own = firestore_client.client()
    assert logged(own, f"reports/{week}") == [("report", "late requests")]


@pytest.mark.parametrize(
    ("week", "problem"), [("2026", "not an ISO week"), ("2999-W01", "not over")]
)
def test_a_week_that_cannot_be_reported_is_one_sentence(
    shared: object, run: Admin, week: str, problem: str
) -> None:
    assert problem in run("report", "--week", week, code=1).stderr


def test_names_with_markup_are_shown_as_they_are(demo: object) -> None:
    report = last_report()
    report["byStyle"] = {"[red]odd[/red]": next(iter(report["byStyle"].values()))}
    assert "[red]odd[/red]" in rendered(report)


# --- grants ------------------------------------------------------------------------------------

SORRY = ("--reason", "slow on Monday", "--key", "ticket-1")


def test_a_grant_is_given_once_for_its_key(
    shared: firestore.Client, run: Admin, new_user: Callable[..., str]
) -> None:
    user_id = new_user(2)
    first = json.loads(run("--json", "grant", user_id, "5", *SORRY).stdout)
    again = json.loads(run("--json", "grant", user_id, "5", *SORRY).stdout)
    assert (first["isNew"], first["currentCredits"]) == (True, 7)
    assert (again["isNew"], again["currentCredits"]) == (False, 7)
    (entry,) = ledger_of(shared, user_id)
    assert (entry["type"], entry["credits"], entry["reason"]) == ("grant", 5, "slow on Monday")
    assert entry["generationRequestId"] is None
    assert check_books(shared, user_id, 2) == 7


def test_a_key_that_gave_something_else_is_refused(
    shared: firestore.Client, run: Admin, new_user: Callable[..., str]
) -> None:
    user_id = new_user(2)
    assert "5 credits granted" in run("grant", user_id, "5", *SORRY).stdout
    assert "another grant" in run("grant", user_id, "6", *SORRY, code=1).stderr
    assert check_books(shared, user_id, 2) == 7


def test_a_grant_may_name_a_completed_request_of_the_user(
    shared: firestore.Client, run: Admin, new_user: Callable[..., str]
) -> None:
    user_id, other = new_user(2), new_user(2)
    made = generation.create(order(user_id), Caller(uid=user_id)).body
    request_id = getattr(made, "generation_request_id")  # noqa: B009 - Reply's body is any model
    run("grant", user_id, "1", *SORRY, "--request", request_id)
    entry = ledger_of(shared, user_id)[-1]
    assert (entry["type"], entry["generationRequestId"]) == ("grant", request_id)
    assert check_books_of(shared, user_id) == []
    for wrong in ((other, request_id), (user_id, "nothing")):
        arguments = ("--reason", "r", "--key", "k", "--request", wrong[1])
        assert (
            "no such generation request" in run("grant", wrong[0], "1", *arguments, code=1).stderr
        )
    shared.document(f"generationRequests/{request_id}").update({"status": "failed"})
    failed = run(
        "grant", user_id, "1", "--reason", "r", "--key", "k2", "--request", request_id, code=1
    )
    assert "is failed, not completed" in failed.stderr


def logged(client: firestore.Client, subject: str) -> list[tuple[str, str]]:
    """What operators have done to a document, and why."""
    found = client.collection("adminActions").where("subject", "==", subject).stream()
    acted = sorted((each.to_dict() or {} for each in found), key=lambda each: each["at"])
    assert all(each["by"].startswith("cli:") for each in acted)
    return [(each["action"], each["reason"]) for each in acted]


def check_books_of(client: firestore.Client, user_id: str) -> list[Any]:
    """What the audit says of one user."""
    return [
        finding
        for account in audit.accounts(client, audit.moment_of(client))
        if account.user_id == user_id
        for finding in findings(account, datetime.now(UTC))
    ]


def test_a_key_gives_once_however_many_ask_at_once(
    shared: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(2)

    def give(_: int) -> ledger.Granted:
        return ledger.grant_credits(user_id, 3, key="key", reason="sorry", by="cli:test")

    with ThreadPoolExecutor(8) as operators:
        given = list(operators.map(give, range(16)))
    assert {each.balance for each in given} == {5}
    assert [each.is_new for each in given].count(True) == 1
    assert len(ledger_of(shared, user_id)) == 1
    assert check_books(shared, user_id, 2) == 5


def test_an_unmatched_purchase_is_booked_once_for_the_user_who_is_named(
    shared: firestore.Client, run: Admin, new_user: Callable[..., str]
) -> None:
    user_id = new_user(2)
    product_id, purchase_id = f"pack-{user_id}", f"stripe-{user_id}"
    shared.document(f"products/{product_id}").set({"credits": 50, "kind": "purchase"})
    products.forget()
    paid = booking.Payment(
        purchase_id=purchase_id,
        provider=Provider.STRIPE,
        named=[],
        items=[Item("id", product_id)],
        amount=500,
        currency="usd",
        at=datetime.now(UTC),
        is_test=True,
    )
    assert booking.book(paid).status == "unmatched"
    why = ("--reason", "paid by a link")
    run("book", purchase_id, "--user", user_id, code=2)
    run("book", purchase_id, "--user", user_id, "--reason", " ", code=2)
    assert "still unmatched: no_user" in run("book", purchase_id, *why, code=1).stderr
    assert "There is no user" in run("book", purchase_id, *why, "--user", "nobody", code=1).stderr
    for _ in range(2):
        booked = json.loads(run("--json", "book", purchase_id, *why, "--user", user_id).stdout)
        assert (booked["status"], booked["userId"], booked["credits"]) == ("paid", user_id, 50)
    assert [entry["type"] for entry in ledger_of(shared, user_id)] == ["purchase"]
    assert logged(shared, f"purchases/{purchase_id}") == [("book", "paid by a link")]
    assert check_books(shared, user_id, 2) == 52


def test_a_purchase_that_nobody_knows_is_not_booked(shared: object, run: Admin) -> None:
    assert (
        "no payment of a purchase nothing" in run("book", "nothing", "--reason", "r", code=1).stderr
    )


def test_an_account_is_repaired_once(
    shared: firestore.Client, run: Admin, new_user: Callable[..., str]
) -> None:
    user_id = new_user(2)
    shared.document(f"users/{user_id}").update({"credits": "[red]2[/red]"})
    arguments = ("repair", user_id, "--reason", "edited by hand")
    assert "the ledger has no entry of this user" in run(*arguments, code=1).stderr
    run(*arguments, "--credits", "two", code=2)
    done = run(*arguments, "--credits", "2").stdout
    assert "credits was '[red]2[/red]'" in done
    assert "2 credits granted" in done
    assert check_books_of(shared, user_id) == []
    again = json.loads(run("--json", *arguments, "--credits", "").stdout)
    assert again == {"malformed": {}, "grantedCredits": 0, "currentCredits": 2}
    assert "no such user" in run("repair", "nobody-at-all", "--reason", "r", code=1).stderr


def test_an_account_is_disabled_and_made_active_again(
    shared: firestore.Client, run: Admin, new_user: Callable[..., str]
) -> None:
    user_id = new_user(2)
    run("status", user_id, "disabled", code=2)
    run("status", user_id, "closing", "--reason", "r", code=2)
    disabled = run("--json", "status", user_id, "disabled", "--reason", "chargebacks").stdout
    assert json.loads(disabled) == {"userId": user_id, "status": "disabled"}
    key = ("--reason", "sorry", "--key", "k")
    assert "disabled" in run("grant", user_id, "5", *key, code=1).stderr
    assert "is active" in run("status", user_id, "active", "--reason", "settled").stdout
    run("grant", user_id, "5", *key)
    assert check_books(shared, user_id, 2) == 7
    assert "no such user" in run("status", "nobody", "active", "--reason", "r", code=1).stderr


def test_an_account_is_exported_transferred_and_deleted(
    shared: firestore.Client,
    run: Admin,
    new_user: Callable[..., str],
    emulated_bucket: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tasks, "enqueue_account", lambda kind, each: process({kind: each}))
    monkeypatch.setattr(closing, "QUIET", timedelta(0))  # nothing is late here
    user_id, other_id = new_user(8, **with_lots(bought("p1", 8))), new_user(2)
    run("export", user_id, code=2)
    exported = json.loads(run("--json", "export", user_id, "--reason", "by mail").stdout)
    assert httpx.get(exported["url"]).json()["userId"] == user_id
    assert logged(shared, f"users/{user_id}") == [("export", "by mail")]
    once = ("transfer", user_id, other_id, "--reason", "lost phone", "--key", "ticket-1")
    moved = json.loads(run("--json", *once).stdout)
    assert moved == {"transferredCredits": 8, "currentCredits": 10}
    assert "8 credits moved" in run(*once).stdout
    assert check_books(shared, other_id, 2) == 10
    run("delete", user_id, code=2)
    assert "is closing" in run("delete", user_id, "--reason", "asked by mail").stdout
    again = json.loads(run("--json", "delete", user_id, "--reason", "again").stdout)
    assert again == {"userId": user_id, "status": "closed", "storeSubscriptions": []}
    assert "no such user" in run("delete", "nobody", "--reason", "r", code=1).stderr


def test_a_grant_needs_a_user_a_number_a_key_and_a_reason(shared: object, run: Admin) -> None:
    refused = run("grant", "nobody-at-all", "5", *SORRY, code=1).stderr
    assert "no such user. (userId nobody-at-all)" in refused
    for number in ("0", "-1", "many"):
        run("grant", "nobody-at-all", "--", number, *SORRY, code=2)
    for reason, key in (("", "ticket"), ("sorry", " ")):
        arguments = ("--reason", reason, "--key", key)
        assert "a key and a reason" in run("grant", "nobody-at-all", "5", *arguments, code=1).stderr


# --- what it stands on -------------------------------------------------------------------------


def test_a_project_is_connected_to_instead_of_the_emulators(run: Admin) -> None:
    with mock.patch.dict(os.environ):
        terminal.connect_to("")
        assert terminal.EMULATORS.keys() <= os.environ.keys()
        terminal.connect_to("my-app")
        assert not [name for name in os.environ if name.endswith("EMULATOR_HOST")]
        assert os.environ["GCLOUD_PROJECT"] == "my-app"
        assert os.environ["REPORT_TIME_ZONE"]


def test_emulators_that_are_not_there_are_missed_at_once(run: Admin) -> None:
    with mock.patch.dict(os.environ, FIRESTORE_EMULATOR_HOST="127.0.0.1:1"):
        assert "start the emulators" in run("audit", code=1).stderr


def test_operators_register_endpoints_replace_secrets_and_send_tests(
    emulator: str, client: firestore.Client, run: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = firestore.Client(project=PROJECT)
    monkeypatch.setattr(firestore_client, "_client", own)
    monkeypatch.setattr(outbox, "enqueue", lambda *_: None)
    url = "http://127.0.0.1:9/hook"

    def webhooks(command: str, *arguments: str, reason: str = "", code: int = 0) -> Result:
        why = ("--reason", reason) if reason else ()
        return run("--json", "webhooks", command, *arguments, *why, code=code)

    webhooks("register", url, code=2)
    low = webhooks("register", url, "--type", "credits.low", reason="a new server")
    made = json.loads(low.stdout)
    (listed,) = json.loads(run("--json", "webhooks", "list").stdout)
    assert (listed["id"], listed["url"], listed["types"]) == (made["id"], url, ["credits.low"])
    assert made["secret"] not in str(listed)
    assert made["secret"] not in run("webhooks", "list").output
    rotated = json.loads(webhooks("rotate", made["id"], reason="it leaked").stdout)
    assert rotated["secret"] != made["secret"]
    event_id = json.loads(webhooks("test", made["id"], reason="is it up").stdout)["eventId"]
    event = own.document(f"events/{event_id}")
    assert event.get().get("type") == "test"
    missed = ("redeliver", made["id"], "--since", "2026-01-01")
    assert json.loads(webhooks(*missed, reason="none").stdout) == {"events": 0}
    webhooks("redeliver", made["id"], "--event", event_id, reason="lost")
    event.update({f"deliveries.{made['id']}.status": "failed"})
    assert json.loads(webhooks(*missed, reason="was down").stdout) == {"events": 1}
    assert "disabled since" in webhooks("disable", made["id"], reason="moving").stdout
    assert "enabled" in webhooks("enable", made["id"], reason="moved").stdout
    assert logged(own, f"webhookEndpoints/{made['id']}") == [
        ("webhookEndpoint.register", "a new server"),
        ("webhookEndpoint.rotateSecret", "it leaked"),
        ("webhookEndpoint.test", "is it up"),
        ("webhookEndpoint.disable", "moving"),
        ("webhookEndpoint.enable", "moved"),
    ]
    assert logged(own, event.path) == [("redeliver", "lost"), ("redeliver", "was down")]
    webhooks("redeliver", made["id"], reason="neither nor", code=2)
    for command in ("rotate", "disable", "enable", "test"):
        webhooks(command, made["id"], code=2)
    assert "no such webhook endpoint" in webhooks("rotate", "none", reason="r", code=1).stderr
    refused = webhooks("register", "ftp://x", reason="r", code=1).stderr
    assert "not valid. (url " in refused
    assert "{" not in refused


def test_amends_are_made_for_requests(
    shared: firestore.Client, run: Admin, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    made = generation.create(order(user_id, size="1024x1024"), Caller(uid=None)).body
    arguments = ("requests", "goodwill", made.generation_request_id, "--reason", "a windmill")
    assert "Granted. The user has 5 credits now." in run(*arguments).stdout
    assert json.loads(run("--json", *arguments).stdout)["isNew"] is False
    assert check_books(shared, user_id, opening=5) == 5
    for command in ("retry", "cancel"):
        refused = run("requests", command, made.generation_request_id, "--reason", "r", code=1)
        assert made.generation_request_id in refused.stderr
    assert "requests recovered." in run("requests", "recover", "--reason", "a test").stdout


def test_the_catalogue_is_changed_from_a_file_and_put_back(
    shared: firestore.Client, run: Admin, tmp_path: Path
) -> None:
    file = tmp_path / "style.json"
    file.write_text(json.dumps({"description": "Thick lines."}))
    arguments = ("catalogue", "put", "styles", "woodcut of a test", str(file), "--reason", "r")
    assert "Nothing was stored." in run(*arguments, "--dry-run").stdout
    stored = json.loads(run("--json", *arguments).stdout)
    assert stored["changes"] == [{"field": "description", "before": None, "after": "Thick lines."}]
    assert "styles/woodcut of a test" in run("catalogue", "show").stdout
    run("catalogue", "undo", stored["actionId"], "--reason", "r")
    assert not shared.document("styles/woodcut of a test").get().exists
    refused = run("catalogue", "delete", "styles", "woodcut of a test", "--reason", "r", code=1)
    assert "styles/woodcut of a test" in refused.stderr
    file.write_text('{"enabled": "perhaps"}')
    assert "document.enabled" in run(*arguments, code=1).stderr
