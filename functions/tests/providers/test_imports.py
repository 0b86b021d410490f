"""What a cold start pays for providers: nothing that it does not use."""

import os
import subprocess
import sys

from support.paths import FUNCTIONS

SCRIPT = """
import sys
import firebase_admin
import firebase_functions.https_fn
before = set(sys.modules)
import imagegen.providers.run
from imagegen.providers import registry
registry.validate_settings("mock", {"imageUrl": "/a.png"})
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(*sorted(new - set(sys.stdlib_module_names)))
print(*sorted(name for name in sys.modules if name.startswith("imagegen.providers.")))
print("PIL" in sys.modules, "google.cloud.storage" in sys.modules)
"""

# What only functions that generate need, and only with the first image that is not a mock's.
GENERATING = {
    "PIL",
    "google.cloud.storage",
    "imagegen.outbound",
    *(f"imagegen.providers.{name}" for name in ("bucket", "http", "images", "mock", "openai")),
    *(f"imagegen.providers.{name}" for name in ("photos", "settings", "storage", "transport")),
}


def test_an_instance_loads_nothing_to_generate_real_images_with_before_it_has_to() -> None:
    program = "import sys, main; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=FUNCTIONS,
        env={**os.environ, "FUNCTION_TARGET": "createGenerationRequest"},
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(ran.stdout.split())
    assert "imagegen.providers.run" in loaded
    assert not loaded & GENERATING


def test_the_mock_loads_no_http_client_no_image_library_and_no_storage() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=FUNCTIONS, capture_output=True, text=True, check=True
    )
    packages, modules, heavy = ran.stdout.splitlines()
    assert set(packages.split()) <= {
        "annotated_types",
        "imagegen",
        "pydantic",
        "pydantic_core",
        "typing_inspection",
    }
    assert modules.split() == [
        f"imagegen.providers.{name}"
        for name in ("attempt", "base", "failures", "jobs", "memory", "mock", "registry", "run")
    ]
    assert heavy == "False False"
