"""Cloud Storage: where images are kept, behind download URLs, and the photos that users upload.

    generations/{requestId}/{attemptId}.png      the image of one attempt at a request
    generations/{requestId}/{attemptId}-512.webp its thumbnail
    sources/{hash of userId}/{uploadId}          a photo to start from; it has no download URL

Every attempt has a path of its own, so an attempt that is late cannot replace what was delivered.
The user's id is in no path: it would be part of a URL that people share.
"""

from __future__ import annotations

import functools
import json
import os
import threading
import time
import urllib.parse
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from google.api_core.exceptions import GoogleAPIError, NotFound
from google.auth.exceptions import GoogleAuthError

from imagegen import config
from imagegen.providers.base import GenerationJob, GeneratorError, StoredImage
from imagegen.providers.failures import Reason, failure
from imagegen.providers.images import EXTENSIONS, Picture

if TYPE_CHECKING:
    from google.cloud.storage import Bucket, Client

CACHE_CONTROL = "private, max-age=31536000, immutable"
THUMBNAIL_SECONDS = 1.0


def bucket_name() -> str:
    """The bucket: IMAGE_BUCKET, else the project's default one, which Firebase tells functions.

    Raises GeneratorError (STORAGE_NOT_CONFIGURED). The name is never guessed: a project that is
    older than October 2024, or has no bucket yet, would lose images that it has paid for.
    """
    if config.IMAGE_BUCKET.value:
        return config.IMAGE_BUCKET.value
    try:
        name = json.loads(os.environ.get("FIREBASE_CONFIG", "{}")).get("storageBucket")
    except (ValueError, AttributeError):
        name = None
    if not name:
        raise failure(Reason.STORAGE_NOT_CONFIGURED, "set IMAGE_BUCKET")
    return str(name)


def store(job: GenerationJob, picture: Picture, *, deadline: float) -> StoredImage:
    """Keep an image and its thumbnail; the URLs under which a client that knows them can load them.

    The URLs carry a random token, like those of Firebase's own `getDownloadURL`. The thumbnail is
    uploaded meanwhile and may take a second longer than the image; after that there is none.

    Raises GeneratorError (IMAGE_NOT_STORED).
    """
    stem = f"generations/{job.generation_request_id}/{job.attempt_id}"
    small = _Upload(f"{stem}-512.webp", picture.thumbnail)
    path = f"{stem}.{EXTENSIONS[picture.mime_type]}"
    url = upload(path, picture.data, picture.mime_type, deadline=deadline)
    return StoredImage(
        url=url,
        path=path,
        width=picture.width,
        height=picture.height,
        mime_type=picture.mime_type,
        bytes=len(picture.data),
        thumbnail_url=small.url(min(THUMBNAIL_SECONDS, deadline - time.monotonic())),
    )


def upload(path: str, data: bytes, mime_type: str, *, deadline: float, public: bool = True) -> str:
    """Write one object; its download URL, or an empty string where it is not `public`.

    Raises GeneratorError (IMAGE_NOT_STORED, STORAGE_NOT_CONFIGURED).
    """
    blob, token = _bucket().blob(path), str(uuid.uuid4())
    blob.cache_control = CACHE_CONTROL
    if public:
        blob.metadata = {"firebaseStorageDownloadTokens": token}
    try:
        blob.upload_from_string(data, mime_type, retry=None, timeout=_left(deadline))
    except _storage_errors() as error:
        raise failure(Reason.IMAGE_NOT_STORED, type(error).__name__) from error
    return _download_url(blob.bucket.name, path, token) if public else ""


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


def delete(prefix: str, *, deadline: float, before: datetime | None = None) -> int:
    """Delete every object whose path begins with `prefix`, or of these the ones stored earlier.

    The number of deleted objects is returned. Safe twice.

    Raises GeneratorError (IMAGE_NOT_STORED) when the storage cannot be reached.
    """
    deleted = 0
    try:
        for blob in _bucket().list_blobs(prefix=prefix, retry=None, timeout=_left(deadline)):
            if before is not None and blob.time_created >= before:
                continue
            try:
                blob.delete(retry=None, timeout=_left(deadline))
                deleted += 1
            except NotFound:
                continue  # somebody else has deleted it meanwhile
    except _storage_errors() as error:
        raise failure(Reason.IMAGE_NOT_STORED, type(error).__name__, billed=False) from error
    return deleted


def delete_images(generation_request_id: str, *, timeout_seconds: float = 30.0) -> int:
    """Delete the images of all attempts at a request, with their thumbnails; how many objects.

    Raises GeneratorError (IMAGE_NOT_STORED) when the storage cannot be reached: call it again.
    """
    deadline = time.monotonic() + timeout_seconds
    return delete(f"generations/{generation_request_id}/", deadline=deadline)


class _Upload:
    """A thumbnail that is uploaded in a thread of its own, because nothing may wait for it."""

    def __init__(self, path: str, data: bytes | None) -> None:
        self._path = path
        self._data = data
        self._url: str | None = None
        self._thread = threading.Thread(target=self._run, name=path, daemon=True)
        if data is not None:
            self._thread.start()

    def _run(self) -> None:
        deadline = time.monotonic() + 10 * THUMBNAIL_SECONDS
        try:
            self._url = upload(self._path, self._data or b"", "image/webp", deadline=deadline)
        except GeneratorError:
            self._url = None

    def url(self, timeout_seconds: float) -> str | None:
        if self._data is not None:
            self._thread.join(max(0.0, timeout_seconds))
        return self._url


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _download_url(bucket: str, path: str, token: str) -> str:
    host = os.environ.get("STORAGE_EMULATOR_HOST", "https://firebasestorage.googleapis.com")
    quoted = urllib.parse.quote(path, safe="")
    return f"{host}/v0/b/{bucket}/o/{quoted}?alt=media&token={token}"


def _bucket() -> Bucket:
    host = os.environ.get("STORAGE_EMULATOR_HOST")
    return _client(os.environ.get("GCLOUD_PROJECT"), host).bucket(bucket_name())


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
