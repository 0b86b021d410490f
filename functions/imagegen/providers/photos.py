"""Photos that an image starts from: uploaded by the user, or behind a URL of the user's.

An upload is private: only this code reads it, under the id of the user who made it. Its path begins
with the day, so that those which have expired are found without looking at the others:

    sources/{day}/{hash of userId}/{uploadId}
"""

import hashlib
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from imagegen import clock
from imagegen.providers import bucket, http, memory
from imagegen.providers.base import MAX_PHOTO_BYTES, GenerationJob, GeneratorError, Photo
from imagegen.providers.failures import Reason, failure
from imagegen.providers.images import FORMATS, NotAnImage, format_of, opened

PHOTO_FORMATS = {**FORMATS, "HEIF": "image/heic"}  # HEIF where a plugin of Pillow reads it
LIFETIME = timedelta(days=1)  # how long an upload can be ordered from
DELETED_AT_ONCE = 500
# A photo behind a URL has a place in `memory` while it is loaded: a server that sends it slowly
# must not keep those of others waiting until the deadline.
FETCH_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class UploadedPhoto:
    """A photo as it was stored; `upload_id` names it in an order of the same user."""

    upload_id: str
    mime_type: str
    width: int
    height: int
    bytes: int


def inspect(data: bytes) -> tuple[str, tuple[int, int]]:
    """MIME type and size, by content. Raises NotAnImage."""
    if len(data) > MAX_PHOTO_BYTES:
        raise NotAnImage(f"the photo is longer than {MAX_PHOTO_BYTES:,} bytes")
    with opened(data, PHOTO_FORMATS, decode=False) as image:
        return PHOTO_FORMATS[format_of(image)], image.size


def save(user_id: str, data: bytes, *, timeout_seconds: float) -> UploadedPhoto:
    """Store a user's photo privately.

    Raises NotAnImage when the bytes are no photo of a known type, or longer than `MAX_PHOTO_BYTES`;
    GeneratorError (IMAGE_NOT_STORED, STORAGE_NOT_CONFIGURED).
    """
    mime_type, (width, height) = inspect(data)
    upload_id = f"{clock.now():%Y%m%d}-{uuid.uuid4().hex}"
    deadline = time.monotonic() + timeout_seconds
    bucket.upload(_path(user_id, upload_id), data, mime_type, deadline=deadline)
    return UploadedPhoto(upload_id, mime_type, width, height, len(data))


def kept(user_id: str, *, at_most: int, timeout_seconds: float) -> int:
    """How many uploads of the user are kept, counted up to `at_most`. Raises GeneratorError."""
    deadline = time.monotonic() + timeout_seconds
    found = 0
    for folder in _folders(user_id, since=clock.now() - LIFETIME):
        found += bucket.count(folder, at_most=at_most - found, deadline=deadline)
        if found >= at_most:
            break
    return found


def is_usable(user_id: str, upload_id: str, *, timeout_seconds: float) -> bool:
    """Whether the user has that upload, and it is younger than `LIFETIME`.

    Raises GeneratorError when that cannot be found out.
    """
    deadline = time.monotonic() + timeout_seconds
    stored_at = bucket.stored_at(_path(user_id, upload_id), deadline=deadline)
    return stored_at is not None and clock.now() - stored_at < LIFETIME


def load(job: GenerationJob, *, deadline: float) -> Photo:
    """The photo that a job starts from. Raises GeneratorError; nothing has been paid for by then.

    A URL is fetched through `outbound`, once for all that is done with it, in FETCH_SECONDS.
    """
    source = job.source or {}
    try:
        memory.photos.take(deadline)
        if "uploadId" in source:
            path = _path(job.user_id, source["uploadId"])
            data = bucket.download(path, deadline=deadline, max_bytes=MAX_PHOTO_BYTES)
        else:
            end = min(deadline, time.monotonic() + FETCH_SECONDS)
            data = http.fetch(source["url"], deadline=end, max_bytes=MAX_PHOTO_BYTES)
        if data is None:
            raise failure(Reason.SOURCE_NOT_USABLE, "no such upload")
        return Photo(data, inspect(data)[0])
    except NotAnImage as error:
        raise failure(Reason.SOURCE_NOT_USABLE, str(error)) from error
    except GeneratorError as error:
        if error.reason == Reason.IMAGE_NOT_FETCHED:
            raise failure(Reason.SOURCE_NOT_USABLE, error.detail) from error
        raise


def delete(user_id: str, upload_id: str, *, timeout_seconds: float) -> None:
    """Delete one upload; no-op if it is gone. Raises GeneratorError."""
    bucket.delete(_path(user_id, upload_id), deadline=time.monotonic() + timeout_seconds)


def delete_all(user_id: str, *, since: datetime, timeout_seconds: float) -> int:
    """Delete the uploads of a user that were made since then; how many.

    Raises GeneratorError; safe twice.
    """
    deadline = time.monotonic() + timeout_seconds
    return sum(
        bucket.delete(folder, deadline=deadline) for folder in _folders(user_id, since=since)
    )


def delete_expired(before: datetime, *, timeout_seconds: float) -> int:
    """Delete what was uploaded before that moment, up to `DELETED_AT_ONCE` objects; how many.

    Raises GeneratorError; safe twice.
    """
    tomorrow = before + timedelta(days=1)
    return bucket.delete(
        "sources/",
        deadline=time.monotonic() + timeout_seconds,
        before=before,
        end_offset=f"sources/{tomorrow:%Y%m%d}",
        at_most=DELETED_AT_ONCE,
    )


def _path(user_id: str, upload_id: str) -> str:
    return f"sources/{upload_id.partition('-')[0]}/{_owner(user_id)}/{upload_id}"


def _folders(user_id: str, *, since: datetime) -> Iterator[str]:
    """Where uploads of the user are that were made since then."""
    today = clock.now().date()
    for days in range((today - since.date()).days + 1):
        yield f"sources/{today - timedelta(days):%Y%m%d}/{_owner(user_id)}/"


def _owner(user_id: str) -> str:
    return hashlib.sha256(user_id.encode()).hexdigest()
