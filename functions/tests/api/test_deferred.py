"""What an instance imports (api/deferred.py): the code of the one function that it serves."""

import os
import subprocess
import sys

import pytest
from flask import Request
from support.paths import FUNCTIONS
from werkzeug.test import EnvironBuilder

from imagegen.api.deferred import serve_from


def loaded_for(function: str) -> set[str]:
    """The modules that importing main.py loads in an instance of `function`; "" is none."""
    ran = subprocess.run(
        [sys.executable, "-c", "import sys, main; print(*sys.modules)"],
        cwd=FUNCTIONS,
        env={**os.environ, "FUNCTION_TARGET": function},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(ran.stdout.split())


def endpoints_in(modules: set[str]) -> set[str]:
    return {name for name in modules if name.startswith("imagegen.") and "endpoints" in name}


@pytest.mark.parametrize(
    ("function", "package", "others"),
    [
        ("createGenerationRequest", "generation", {"purchases", "report", "audit"}),
        ("getUserCredits", "credits", {"generation", "purchases", "report", "audit"}),
        ("listModels", "catalogue", {"credits", "generation", "notifications", "purchases"}),
        ("listPurchases", "purchases", {"generation", "report", "audit"}),
        ("registerDevice", "notifications", {"catalogue", "credits", "generation", "purchases"}),
    ],
)
def test_an_instance_imports_the_endpoints_of_its_own_function_only(
    function: str, package: str, others: set[str]
) -> None:
    loaded = loaded_for(function)
    assert endpoints_in(loaded) == {f"imagegen.{package}.endpoints"}
    assert not {f"imagegen.{other}" for other in others} & loaded
    assert "google.cloud.firestore" in loaded, "the first call would wait for it"


def test_reading_the_function_table_imports_no_domain() -> None:
    packages = {name for name in loaded_for("") if name.startswith("imagegen.")}
    assert "imagegen.api" in packages
    domains = {"catalogue", "credits", "generation", "notifications", "purchases", "report"}
    assert not {f"imagegen.{domain}" for domain in domains} & packages


def test_an_endpoint_that_cannot_be_imported_ends_the_instance_that_serves_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FUNCTION_TARGET", "getSomething")
    serve_from("imagegen.nowhere:get_nothing")  # is served by other instances
    monkeypatch.setenv("FUNCTION_TARGET", "getNothing")
    with pytest.raises(ModuleNotFoundError, match=r"imagegen\.nowhere"):
        serve_from("imagegen.nowhere:get_nothing")


def test_without_a_target_an_endpoint_is_imported_by_its_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("FUNCTION_TARGET", raising=False)
    function = serve_from("imagegen.credits.endpoints:get_user_credits")
    assert function.__name__ == "getUserCredits"
    request = Request(EnvironBuilder(method="PUT").get_environ())
    assert function(request).status_code == 405
