"""Google's REST APIs, called with Application Default Credentials.

One parameter says where they are: `https://{api}.googleapis.com`, with the API's name filled in.
Tests and the emulators have other addresses. An answer that is no success is one of the errors
below; which one is all that a check has to know of HTTP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

ADDRESS = "https://{api}.googleapis.com"
SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
TIMEOUT_SECONDS = 15.0

Json = dict[str, Any]


class NoCredentials(Exception):
    """There are no Application Default Credentials, or they have expired."""


class ApiError(Exception):
    """An answer that is no success. `status` is the HTTP status, 0 without an answer."""

    def __init__(self, api: str, status: int, message: str) -> None:
        super().__init__(message)
        self.api = api
        self.status = status


class NotFound(ApiError):
    """There is no such thing."""


class Forbidden(ApiError):
    """The caller may not see or do this."""


class ApiDisabled(ApiError):
    """The API has not been enabled in the project."""


class NoAnswer(ApiError):
    """No answer in time, or one that says to try again."""


def default_session(project: str) -> requests.Session:
    """A session of the Application Default Credentials that `project` pays for.

    Raises NoCredentials when there are none, or they have expired.
    """
    try:
        credentials, _ = google.auth.default(scopes=SCOPES, quota_project_id=project)
        session = AuthorizedSession(credentials)
        credentials.refresh(google.auth.transport.requests.Request())
    except GoogleAuthError as error:
        raise NoCredentials(str(error)) from error
    return session


class Google:
    """The APIs at `address`, a template or a function of an API's name."""

    def __init__(
        self,
        session: requests.Session,
        address: str | Callable[[str], str] = ADDRESS,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._session = session
        self._address = address
        self._timeout_seconds = timeout_seconds

    def get(self, api: str, path: str, **parameters: Any) -> Json:
        """The resource at `path`. Raises ApiError."""
        return self.call("GET", api, path, parameters=parameters)

    def post(self, api: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        """The answer to a POST of `body`. Raises ApiError."""
        return self.call("POST", api, path, body=body)

    def pages(self, api: str, path: str, **parameters: Any) -> Iterator[Json]:
        """Every page of a list. Raises ApiError."""
        token = ""
        while True:
            more = {"pageToken": token} if token else {}
            page = self.get(api, path, **parameters, **more)
            yield page
            token = page.get("nextPageToken", "")
            if not token:
                return

    def call(
        self,
        method: str,
        api: str,
        path: str,
        *,
        parameters: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Json:
        template = self._address
        root = template(api) if callable(template) else template.format(api=api)
        try:
            response = self._session.request(
                method,
                f"{root}/{path}",
                params=parameters,
                json=body,
                timeout=self._timeout_seconds,
            )
        except requests.RequestException as error:
            raise NoAnswer(api, 0, f"{api}.googleapis.com does not answer") from error
        except GoogleAuthError as error:
            raise NoCredentials(str(error)) from error
        if response.status_code < 300:
            answer: Json = response.json() if response.content else {}
            return answer
        raise _error(api, response)


def _error(api: str, response: requests.Response) -> ApiError:
    """The error in an answer: {"error": {"code", "message", "status", "details"}}."""
    try:
        error = response.json()["error"]
        message, details = error["message"], error.get("details", [])
    except (ValueError, KeyError, TypeError):
        message, details = f"{api}.googleapis.com answers {response.status_code}", []
    # google.rpc.ErrorInfo; its reason is the stable part of the error.
    reasons = {each.get("reason") for each in details}
    status = response.status_code
    if status == 404:
        return NotFound(api, status, message)
    if status == 403 and "SERVICE_DISABLED" in reasons:
        return ApiDisabled(api, status, message)
    if status in (401, 403):
        return Forbidden(api, status, message)
    if status == 429 or status >= 500:
        return NoAnswer(api, status, message)
    return ApiError(api, status, message)
