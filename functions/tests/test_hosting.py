"""What Hosting sends along with the console: the security headers, and the policy of each page."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# For App Check in the console, as Google lists them: docs.cloud.google.com/recaptcha/docs/faq
RECAPTCHA = "https://www.google.com/recaptcha/"
LOCAL = ("http://localhost:*", "http://127.0.0.1:*")


@pytest.fixture(scope="module")
def hosting() -> dict[str, Any]:
    config: dict[str, Any] = json.loads((ROOT / "firebase.json").read_text())["hosting"]
    return config


def headers(hosting: dict[str, Any], source: str) -> dict[str, str]:
    (rule,) = [each for each in hosting["headers"] if each["source"] == source]
    return {each["key"]: each["value"] for each in rule["headers"]}


def policy(hosting: dict[str, Any], source: str) -> dict[str, list[str]]:
    """The Content-Security-Policy: directive -> sources."""
    directives = headers(hosting, source)["Content-Security-Policy"].split("; ")
    return {name: sources for name, *sources in (each.split() for each in directives)}


def test_every_page_carries_the_usual_security_headers(hosting: dict[str, Any]) -> None:
    sent = headers(hosting, "**")
    assert sent["X-Content-Type-Options"] == "nosniff"
    assert sent["X-Frame-Options"] == "DENY"
    assert sent["Referrer-Policy"] == "strict-origin-when-cross-origin"
    assert sent["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "max-age=31536000" in sent["Strict-Transport-Security"]
    assert "camera=()" in sent["Permissions-Policy"]


def test_the_console_runs_no_code_but_its_own_and_recaptchas(hosting: dict[str, Any]) -> None:
    rules = policy(hosting, "**")
    assert rules["default-src"] == ["'none'"]
    assert rules["script-src"] == ["'self'", RECAPTCHA, "https://www.gstatic.com/recaptcha/"]
    assert rules["frame-src"] == ["'self'", RECAPTCHA, "https://recaptcha.google.com/recaptcha/"]
    assert rules["style-src"] == ["'self'"]
    assert rules["base-uri"] == ["'none'"]
    assert rules["frame-ancestors"] == ["'none'"]


def test_the_console_talks_to_its_backend_and_to_emulators_on_this_machine_only(
    hosting: dict[str, Any],
) -> None:
    assert policy(hosting, "**")["connect-src"] == [
        "'self'",
        "https://firebasestorage.googleapis.com",
        "https://identitytoolkit.googleapis.com",
        "https://securetoken.googleapis.com",
        "https://firestore.googleapis.com",
        "https://content-firebaseappcheck.googleapis.com",
        RECAPTCHA,
        "https://*.cloudfunctions.net",
        *LOCAL,
    ]


def test_images_come_from_https_and_from_emulators_on_this_machine(hosting: dict[str, Any]) -> None:
    assert policy(hosting, "**")["img-src"] == ["'self'", "blob:", "data:", "https:", *LOCAL]


def test_the_reference_may_style_itself_inline_but_runs_no_strings(hosting: dict[str, Any]) -> None:
    rules = policy(hosting, "/reference/**")
    assert rules["script-src"] == ["'self'"]
    assert rules["connect-src"] == ["'self'", "https://*.cloudfunctions.net", *LOCAL]
    assert rules["frame-ancestors"] == ["'self'"]


def test_the_built_page_has_no_inline_code_and_asks_no_other_host() -> None:
    page = (ROOT / "web" / "index.html").read_text()
    assert "<style" not in page
    assert "style=" not in page
    assert page.count("<script") == page.count("<script src=") + page.count("<script type=")
    assert "://" not in page


def test_every_public_function_is_served_on_the_origin_of_the_console(
    hosting: dict[str, Any],
) -> None:
    rewritten = {
        each["source"]: each["function"] for each in hosting["rewrites"] if "function" in each
    }
    paths: list[str] = json.loads((ROOT / "openapi.json").read_text())["paths"]
    public = {path.split("/")[1] for path in paths if not path.endswith("-0")}  # scheduled
    below = {"/api/admin/**": {"functionId": "admin"}}
    # Without a region firebase-tools takes the one that the function is deployed to. With another
    # than REGION it refuses the deploy: "present but in the wrong region".
    assert rewritten == below | {f"/api/{name}": {"functionId": name} for name in public}
