"""Describe the API: openapi.json, and the Postman collection that is made of it.

    openapi.py            write openapi.json and docs/postman_collection.json
    openapi.py --check    say whether they are up to date

The document follows from the service's pydantic models and error tree, and from `apidoc.contract`.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from openapi_pydantic import (
    Components,
    Example,
    Header,
    Info,
    License,
    OpenAPI,
    Schema,
    SecurityScheme,
    Server,
    ServerVariable,
    Tag,
)

from apidoc import postman
from apidoc.examples import ERRORS, rendered
from apidoc.operations import emulator, paths
from apidoc.schemas import name_of, schemas
from apidoc.terms import HEADERS
from emulators import suite
from emulators.paths import FUNCTIONS, ROOT

DESCRIPTION = """
Users spend credits on images. A price is charged before an image is generated and given back, once,
if there is none.

**Calls.** JSON in, JSON out. A GET takes the same fields as the POST, from the query string; it
answers HEAD too, and every function answers OPTIONS (CORS, any origin). A field that is not
described is refused. Times are UTC, RFC 3339, ending in Z.

**Callable protocol.** Each function is also a Firebase callable function. A POST whose body has the
one key `data` is answered with 200 and the body in `result`; errors are the same:
`{"data": {"userId": "testUser1"}}` → `{"result": {"currentCredits": 100, "transactions": []}}`. So
`httpsCallable(functions, "getUserCredits")` of the Firebase SDKs works.

**Errors.** All have one shape. `details.reason` never changes and is what to decide by; `status` is
the canonical gRPC status.
"""


def document() -> OpenAPI:
    project = tomllib.loads((FUNCTIONS / "pyproject.toml").read_text())["project"]
    return OpenAPI(
        openapi="3.1.0",
        info=Info(
            title=project["name"],
            version=project["version"],
            summary=project["description"],
            description=DESCRIPTION.strip(),
            license=License(name=project["license"], identifier=project["license"]),
        ),
        servers=[emulator(), _production()],
        security=[{"idToken": []}],
        tags=[
            Tag(name="functions", description="For clients: HTTP, and the callable protocol."),
            Tag(name="schedule", description="For the scheduler; private where deployed."),
        ],
        paths=dict(paths()),
        components=Components(
            schemas={name: Schema.model_validate(each) for name, each in sorted(schemas().items())},
            examples={
                name_of(type(error)): Example(summary=error.reason, value=rendered(error)[0])
                for error in ERRORS
            },
            headers={
                name: Header(description=text, schema=Schema.model_validate(schema))
                for name, (text, schema) in HEADERS.items()
            },
            securitySchemes={
                "idToken": SecurityScheme(
                    type="http",
                    scheme="bearer",
                    bearerFormat="JWT",
                    description="An ID token of Firebase Authentication. Where AUTH_MODE is "
                    "optional (the emulators) a call may come without one.",
                )
            },
        ),
    )


def _production() -> Server:
    return Server(
        url=f"https://{suite.REGION}-{{project}}.cloudfunctions.net",
        description="Cloud Functions",
        variables={"project": ServerVariable(default="your-project")},
    )


def files() -> dict[Path, str]:
    """What the files have to hold."""
    text = document().model_dump_json(by_alias=True, exclude_unset=True, exclude_none=True)
    described = json.loads(text, parse_float=_whole)
    return {
        ROOT / "openapi.json": _text(described),
        ROOT / "docs" / "postman_collection.json": _text(postman.collection(described)),
    }


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _whole(number: str) -> float:
    """The bounds of integers, which the library makes floats of."""
    return int(float(number)) if float(number).is_integer() else float(number)


def main(arguments: Sequence[str]) -> int:
    wanted = files()
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text() != text]
    for path in stale:
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is not up to date: run `make openapi`.")
        else:
            path.write_text(wanted[path])
            print(f"Written: {path.relative_to(ROOT)}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
