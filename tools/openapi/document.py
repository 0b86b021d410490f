"""The OpenAPI document: what all endpoints share, and the paths and components."""

from __future__ import annotations

import tomllib

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

from openapi.checkout import REGION, ROOT
from openapi.errors import ERRORS, rendered
from openapi.operations import HEADERS, emulator, paths
from openapi.schemas import name_of, schemas

DESCRIPTION = """
Users spend credits on images. A price is charged before an image is generated and given back, once,
if there is none.

**Calls.** JSON in, JSON out. A GET takes the same fields as the POST, from the query string; it
answers HEAD too, and every function answers OPTIONS (CORS, any origin). A field that is not
described is refused. Times are UTC, RFC 3339, ending in Z.

**Callable protocol.** Each function for clients is also a Firebase callable function. A POST whose
body has the one key `data` is answered with 200 and the body in `result`; errors are the same:
`{"data": {"userId": "testUser1"}}` → `{"result": {"currentCredits": 100, "transactions": []}}`. So
`httpsCallable(functions, "getUserCredits")` of the Firebase SDKs works.

**App Check.** Where a deployment requires it (APP_CHECK), every call also needs the header
`X-Firebase-AppCheck: <token of Firebase App Check>`; the Firebase SDKs send it by themselves.

**Errors.** All have one shape. `details.reason` never changes and is what to decide by; `status` is
the canonical gRPC status.
"""


def document() -> OpenAPI:
    project = tomllib.loads((ROOT / "functions" / "pyproject.toml").read_text())["project"]
    return OpenAPI(
        openapi="3.1.0",
        info=Info(
            title=project["name"],
            version=project["version"],
            summary=project["description"],
            description=DESCRIPTION.strip(),
            license=License(name=project["license"], identifier=project["license"]),
        ),
        servers=[emulator(), _production(), _hosting()],
        security=[{"idToken": []}],
        tags=[
            Tag(name="functions", description="For clients: HTTP, and the callable protocol."),
            Tag(
                name="operators",
                description="For who runs the app: one function, `admin`, with paths below it. "
                "Every call needs a token with the claim `admin: true`, and is plain HTTP.",
            ),
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
                name: Header(
                    description=header.description, schema=Schema.model_validate(header.schema)
                )
                for name, header in HEADERS.items()
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
        url=f"https://{REGION}-{{project}}.cloudfunctions.net",
        description="Cloud Functions",
        variables={"project": ServerVariable(default="your-project")},
    )


def _hosting() -> Server:
    """The same origin as the app's pages, so that browsers send no preflight."""
    return Server(
        url="https://{project}.web.app/api",
        description="Firebase Hosting, or a custom domain; a call ends after 60 seconds",
        variables={"project": ServerVariable(default="your-project")},
    )
