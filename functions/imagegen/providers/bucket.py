"""The bucket in Cloud Storage that images and photos are kept in: write, read and delete objects.

The client is Google's. It does not try again by itself: who calls knows how much time there is.
"""

from __future__ import annotations

import functools
import json
import os
import threading
import time
import urllib.parse
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.exceptions import GoogleAuthError

from imagegen import config
from imagegen.providers.base import GeneratorError
from imagegen.providers.failures import Reason, failure

if TYPE_CHECKING:
    from google.cloud.storage import Bucket, Client

CHUNK_BYTES = 1024 * 1024  # of an object that is written in parts; a multiple of 256 KiB
EMULATOR_CHUNK_BYTES = 256 * 1024 * 1024  # it takes the first chunk for the whole object
CACHE_CONTROL = "private, max-age=31536000, immutable"


def name() -> str:
    """The bucket: IMAGE_BUCKET, else the project's default one, which Firebase tells functions.

    Raises GeneratorError (STORAGE_NOT_CONFIGURED). The name is never guessed: a project that is
    older than October 2024, or has no bucket yet, would lose images that it has paid for.
    """
    if os.environ.get("FUNCTIONS_EMULATOR") == "true" and not _emulator_host():
        raise failure(Reason.STORAGE_NOT_CONFIGURED, "the Storage emulator is not running")
    if config.IMAGE_BUCKET.value:
        return config.IMAGE_BUCKET.value
    try:
        found = json.loads(os.environ.get("FIREBASE_CONFIG", "{}")).get("storageBucket")
    except (ValueError, AttributeError):
        found = None
    if not found:
        raise failure(Reason.STORAGE_NOT_CONFIGURED, "set IMAGE_BUCKET")
    return str(found)


def is_configured() -> bool:
    """Whether there is a bucket."""
    try:
        return bool(name())
    except GeneratorError:
        return False


def upload(path: str, data: bytes, mime_type: str, *, deadline: float, token: str = "") -> str:
    """Write one object; the download URL with `token`, or an empty string where there is none.

    An upload that failed may still arrive: who tries again does so with the same token, or the URL
    of the one that succeeded dies.

    Raises GeneratorError (IMAGE_NOT_STORED, STORAGE_NOT_CONFIGURED).
    """
    blob = _bucket().blob(path)
    blob.cache_control = CACHE_CONTROL
    if token:
        blob.metadata = {"firebaseStorageDownloadTokens": token}
    try:
        blob.upload_from_string(data, mime_type, retry=None, timeout=_left(deadline))
    except _storage_errors() as error:
        raise failure(Reason.IMAGE_NOT_STORED, type(error).__name__) from error
    return _download_url(blob.bucket.name, path, token) if token else ""


def write_text(
    path: str, parts: Iterable[str], mime_type: str, *, deadline: float, token: str
) -> str:
    """Write one object from parts, of which few are in memory at a time; its download URL.

    No cache keeps it, as what is written here is deleted soon. An upload that breaks off leaves no
    object behind.

    Raises GeneratorError (IMAGE_NOT_STORED, STORAGE_NOT_CONFIGURED), and whatever `parts` raise.
    """
    chunk_bytes = EMULATOR_CHUNK_BYTES if _emulator_host() else CHUNK_BYTES
    blob = _bucket().blob(path, chunk_size=chunk_bytes)
    blob.cache_control = "private, no-store"
    blob.metadata = {"firebaseStorageDownloadTokens": token}
    try:
        with blob.open("wb", content_type=mime_type, retry=None, timeout=_left(deadline)) as file:
            for part in parts:
                file.write(part.encode())
    except _storage_errors() as error:
        raise failure(Reason.IMAGE_NOT_STORED, type(error).__name__) from error
    return _download_url(blob.bucket.name, path, token)


def download(path: str, *, deadline: float, max_bytes: int) -> bytes | None:
    """The first bytes of an object, up to one more than `max_bytes`; None where there is none.

    Raises GeneratorError (IMAGE_NOT_STORED) when the storage cannot be reached.
    """
    try:
        return bytes(
            _bucket()
            .blob(path)
            .download_as_bytes(
                end=max_bytes, raw_download=True, retry=None, timeout=_left(deadline)
            )
        )
    except NotFound:
        return None
    except _storage_errors() as error:
        raise failure(Reason.IMAGE_NOT_STORED, type(error).__name__, billed=False) from error


def stored_at(path: str, *, deadline: float) -> datetime | None:
    """When an object was stored; None where there is none. Raises GeneratorError."""
    try:
        blob = _bucket().get_blob(path, retry=None, timeout=_left(deadline))
    except _storage_errors() as error:
        raise failure(Reason.IMAGE_NOT_STORED, type(error).__name__, billed=False) from error
    return None if blob is None else blob.time_created


def count(prefix: str, *, at_most: int, deadline: float) -> int:
    """How many objects have a path that begins with `prefix`, up to `at_most`.

    Raises GeneratorError (IMAGE_NOT_STORED) when the storage cannot be reached.
    """
    try:
        found = _bucket().list_blobs(
            prefix=prefix, max_results=at_most, retry=None, timeout=_left(deadline)
        )
        return sum(1 for _ in found)
    except _storage_errors() as error:
        raise failure(Reason.IMAGE_NOT_STORED, type(error).__name__, billed=False) from error


def delete(
    prefix: str,
    *,
    deadline: float,
    before: datetime | None = None,
    end_offset: str | None = None,
    at_most: int | None = None,
) -> int:
    """Delete every object whose path begins with `prefix`, or of these the ones stored earlier.

    Only paths before `end_offset` are looked at, in the order of their names, until `at_most` of
    them are deleted. The number of deleted objects is returned. Safe twice.

    Raises GeneratorError (IMAGE_NOT_STORED) when the storage cannot be reached.
    """
    deleted = 0
    try:
        found = _bucket().list_blobs(
            prefix=prefix,
            end_offset=end_offset,
            retry=None,
            timeout=_left(deadline),
        )
        for blob in found:
            if before is not None and blob.time_created >= before:
                continue
            try:
                blob.delete(retry=None, timeout=_left(deadline))
                deleted += 1
            except NotFound:
                continue  # somebody else has deleted it meanwhile
            if deleted == at_most:
                break
    except _storage_errors() as error:
        raise failure(Reason.IMAGE_NOT_STORED, type(error).__name__, billed=False) from error
    return deleted


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _emulator_host() -> str | None:
    return os.environ.get("STORAGE_EMULATOR_HOST")


def _download_url(bucket: str, path: str, token: str) -> str:
    host = _emulator_host() or "https://firebasestorage.googleapis.com"
    quoted = urllib.parse.quote(path, safe="")
    return f"{host}/v0/b/{bucket}/o/{quoted}?alt=media&token={token}"


def _bucket() -> Bucket:
    return _client(os.environ.get("GCLOUD_PROJECT"), _emulator_host()).bucket(name())


_client_lock = threading.Lock()


def _client(project: str | None, emulator_host: str | None) -> Client:
    """The client of the instance; made once, though many threads may ask at the same time."""
    with _client_lock:
        return _new_client(project, emulator_host)


@functools.cache
def _new_client(project: str | None, _emulator_host: str | None) -> Client:
    # Imported with the first image: it would cost every cold start a tenth of a second.
    from google.cloud import storage  # noqa: PLC0415

    # Or it asks, for traces that nobody makes, what kind of bucket this is.
    os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
    return storage.Client(project=project)


def _storage_errors() -> tuple[type[Exception], ...]:
    """What an upload raises when the storage is not there, does not answer, or refuses."""
    # GoogleAPIError has RetryError below it; requests is loaded with the client.
    import requests  # noqa: PLC0415
    from google.resumable_media.common import DataCorruption, InvalidResponse  # noqa: PLC0415

    errors: Any = (
        GoogleAPIError,
        GoogleAuthError,
        requests.RequestException,
        InvalidResponse,
        DataCorruption,
        OSError,
    )
    return tuple(errors)
