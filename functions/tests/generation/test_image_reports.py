"""Reports of images: who may report what, and what operators do about it, by command, too."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud import firestore
from ops import admin
from support.admin_calls import actions_about
from support.bucket import FakeBucket
from support.orders import ANYBODY, order, order_body
from support.proxy import FirestoreProxy
from typer.testing import CliRunner

from imagegen import db
from imagegen.api.auth import Caller
from imagegen.errors import BackendUnavailable, GenerationRequestNotFound, ImageReportNotFound
from imagegen.firestore import client as firestore_client
from imagegen.firestore.store import Query
from imagegen.generation import create as generation
from imagegen.generation import image_reports
from imagegen.generation.endpoints import DeleteImage
from imagegen.generation.endpoints import delete_image as delete_own_image
from imagegen.generation.image_reports import ReportedImage, ReportImage, report_image
from imagegen.generation.replies import Generation

Call = Callable[..., Any]


@pytest.fixture(autouse=True)
def _no_report_is_open(client: firestore.Client) -> None:
    for document in client.collection("imageReports").stream():
        document.reference.delete()


def create(user_id: str, **changes: Any) -> str:
    body = generation.create(order(user_id, **changes), ANYBODY).body
    assert isinstance(body, Generation)
    return body.generation_request_id


def report(request_id: str, reason: str = "hate", caller: Caller = ANYBODY, **fields: Any) -> Any:
    sent = {"generationRequestId": request_id, "reason": reason} | fields
    return report_image(ReportImage.model_validate(sent), caller)


def opened() -> list[ReportedImage]:
    return list(
        image_reports.shown(
            db.query(image_reports.reports_query(image_reports.ReportStatus.OPEN, 10))
        )
    )


def test_a_report_is_answered_and_stored_once(
    call: Call, client: firestore.Client, new_user: Callable[..., str]
) -> None:
    request_id = create(user_id := new_user(5))
    body = {"generationRequestId": request_id, "reason": "violence", "comment": "  a knife "}
    answer = call("reportImage", json=body)
    assert answer.status_code == 200
    reported = answer.get_json()
    assert reported.pop("createdAt").endswith("Z")
    shown = {"generationRequestId": request_id, "reason": "violence", "comment": "a knife"}
    assert reported == shown | {"status": "open"}
    again = call("reportImage", json=body | {"reason": "other", "comment": None}).get_json()
    assert again == reported | {"createdAt": again["createdAt"]}
    (document,) = client.collection("imageReports").stream()
    stored = document.to_dict() or {}
    assert (document.id, stored["userId"], stored["reason"]) == (request_id, user_id, "violence")
    assert "lighthouse" not in str(stored)  # no prompt


def test_a_report_whose_commit_was_answered_to_nobody_is_told_to_the_operators_once(
    new_user: Callable[..., str], proxy: FirestoreProxy, capsys: pytest.CaptureFixture[str]
) -> None:
    request_id = create(new_user(5))
    capsys.readouterr()
    proxy.lose_reply_to_commit()
    for _ in range(2):
        report(request_id)
    assert capsys.readouterr().out.count('"image reported"') == 1


def test_only_the_owner_and_an_admin_may_report(new_user: Callable[..., str]) -> None:
    request_id = create(user_id := new_user(5))
    with pytest.raises(GenerationRequestNotFound):
        report(request_id, caller=Caller(uid="stranger"))
    assert opened() == []
    report(request_id, caller=Caller(uid=user_id))
    report(create(user_id), caller=Caller(uid="operator", is_admin=True))
    assert [each.reporter_id for each in opened()] == [user_id, "operator"]


def test_what_has_no_image_cannot_be_reported(call: Call, new_user: Callable[..., str]) -> None:
    user_id = new_user(5)
    failed = call("createGenerationRequest", json=order_body(user_id, model="Doomed Model"))
    failed_id = failed.get_json()["error"]["details"]["generationRequestId"]
    deleted_id = create(user_id)
    call("deleteImage", json={"generationRequestId": deleted_id})
    for request_id, reason in ((failed_id, "NOT_REPORTABLE"), (deleted_id, "IMAGE_DELETED")):
        body = {"generationRequestId": request_id, "reason": "other"}
        answer = call("reportImage", json=body)
        details = answer.get_json()["error"]["details"]
        assert (answer.status_code, details["reason"]) == (409, reason)
    assert opened() == []


@pytest.mark.parametrize(
    "wrong", [{"reason": "ugly"}, {"reason": None}, {"comment": "x" * 1001}, {"comment": "\0"}]
)
def test_a_report_needs_a_known_reason_and_a_short_comment(
    call: Call, wrong: dict[str, Any]
) -> None:
    body = {"generationRequestId": "r", "reason": "hate"} | wrong
    answer = call("reportImage", json=body)
    (violation,) = answer.get_json()["error"]["details"]["fieldViolations"]
    assert (answer.status_code, violation["field"]) == (400, *wrong)


def test_operators_see_open_reports_with_their_images_the_oldest_first(
    new_user: Callable[..., str],
) -> None:
    user_id = new_user(5)
    ids = [create(user_id, prompt=f"picture {n}") for n in range(3)]
    for request_id in ids:
        report(request_id, comment="look")
    found = opened()
    assert [each.generation_request_id for each in found] == ids
    assert [each.prompt for each in found] == ["picture 0", "picture 1", "picture 2"]
    assert {each.image_url for each in found} == {"https://example.com/sure.png"}
    assert (found[0].user_id, found[0].model, found[0].comment) == (user_id, "Sure Model", "look")
    after = (found[0].created_at, found[0].generation_request_id)
    following = db.query(image_reports.reports_query(image_reports.ReportStatus.OPEN, 1, after))
    assert [each.id for each in following] == ids[1:2]


def test_a_dismissed_report_leaves_the_queue_and_its_image(new_user: Callable[..., str]) -> None:
    request_id = create(new_user(5))
    report(request_id)
    first = image_reports.dismiss(request_id, by="ann", reason="harmless")
    assert (first.status, first.resolved_by) == ("dismissed", "ann")
    assert image_reports.dismiss(request_id, by="bob", reason="harmless") == first
    assert report(request_id).status == "dismissed"
    assert opened() == []
    assert first.image_url is not None


def test_an_operator_deletes_the_image_of_a_report(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    request_id = create(new_user(5))
    report(request_id)
    image_reports.dismiss(request_id, by="ann", reason="harmless")
    done = image_reports.delete_image(request_id, by="bob", reason="forbidden")
    assert (done.status, done.resolved_by, done.image_url) == ("image_deleted", "bob", None)
    assert done.prompt == ""
    for again in (image_reports.delete_image, image_reports.dismiss):
        assert again(request_id, by="eve", reason="again") == done
    stored = client.document(db.generation_request(request_id)).get().to_dict() or {}
    assert (stored["status"], stored["imageUrl"], stored["prompt"]) == ("completed", None, "")
    logged = db.query(Query("adminActions", [("subject", "==", f"imageReports/{request_id}")]))
    acted = {
        each["by"]: (each["action"], each["after"]["status"], each["reason"]) for each in logged
    }
    assert len(logged) == 2  # what was done again is not logged again
    assert acted == {
        "ann": ("dismiss report", "dismissed", "harmless"),
        "bob": ("delete image", "image_deleted", "forbidden"),
    }


def test_a_report_is_closed_and_logged_while_the_storage_is_away(
    client: firestore.Client, new_user: Callable[..., str], bucket: FakeBucket, painted: None
) -> None:
    request_id = create(new_user(5))
    report(request_id)
    bucket.refuses = lambda method, name: 503
    with pytest.raises(BackendUnavailable):
        image_reports.delete_image(request_id, by="ann", reason="forbidden")

    def logged() -> list[tuple[str, str]]:
        found = actions_about(client, f"imageReports/{request_id}")
        return [(each["by"], each["action"]) for each in found]

    assert (opened(), logged()) == ([], [("ann", "delete image")])
    assert bucket.objects != {}
    bucket.refuses = lambda method, name: 0
    done = image_reports.delete_image(request_id, by="bob", reason="again")
    assert (done.status, done.resolved_by) == ("image_deleted", "ann")
    assert (bucket.objects, len(logged())) == ({}, 1)


@pytest.mark.parametrize("act", [image_reports.dismiss, image_reports.delete_image])
def test_what_an_operator_does_is_logged_once_though_its_commit_was_answered_to_nobody(
    client: firestore.Client,
    new_user: Callable[..., str],
    proxy: FirestoreProxy,
    act: Callable[..., ReportedImage],
) -> None:
    request_id = create(new_user(5))
    report(request_id)
    proxy.lose_reply_to_commit()
    assert act(request_id, by="ann", reason="seen").resolved_by == "ann"
    assert len(actions_about(client, f"imageReports/{request_id}")) == 1


def test_a_report_whose_image_its_owner_deletes_stays_in_the_queue(
    new_user: Callable[..., str],
) -> None:
    request_id = create(new_user(5))
    report(request_id)
    delete_own_image(DeleteImage(generation_request_id=request_id), ANYBODY)
    (found,) = opened()
    assert (found.image_url, found.prompt) == (None, "")


def test_a_report_whose_request_is_gone_is_still_shown(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    request_id = create(new_user(5))
    report(request_id)
    client.document(db.generation_request(request_id)).delete()
    (found,) = opened()
    assert (found.model, found.image_url) == (None, None)
    with pytest.raises(GenerationRequestNotFound):
        image_reports.delete_image(request_id, by="ann", reason="forbidden")
    assert image_reports.dismiss(request_id, by="ann", reason="harmless").status == "dismissed"


def test_what_was_not_reported_cannot_be_resolved(new_user: Callable[..., str]) -> None:
    request_id = create(new_user(5))
    for act in (image_reports.dismiss, image_reports.delete_image):
        with pytest.raises(ImageReportNotFound):
            act(request_id, by="ann", reason="forbidden")


def test_the_commands_list_dismiss_and_delete(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(firestore_client, "_client", client)

    def run(*arguments: str, code: int = 0) -> str:
        done = CliRunner().invoke(admin.app, [*arguments])
        assert done.exit_code == code, done.output
        return done.output

    user_id = new_user(5)
    ids = [create(user_id) for _ in range(2)]
    assert "No report is open." in run("image-reports", "list")
    for request_id in ids:
        report(request_id, comment="look")
    listed = run("image-reports", "list")
    assert listed.index(ids[0]) < listed.index(ids[1])
    assert "hate: look" in listed
    assert f"Sure Model, of {user_id}" in listed
    why = ("--reason", "seen")
    assert "is dismissed, by cli:" in run("image-reports", "dismiss", ids[0], *why)
    run("image-reports", "delete-image", ids[1], code=2)
    done = json.loads(run("--json", "image-reports", "delete-image", ids[1], *why))
    assert (done["status"], done["imageUrl"]) == ("image_deleted", None)
    assert json.loads(run("--json", "image-reports", "list")) == []
    assert "no such report" in run("image-reports", "dismiss", "nowhere", *why, code=1)
