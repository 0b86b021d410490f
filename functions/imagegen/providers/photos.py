"""Photos that an image starts from: uploaded by the user, or behind a URL of the user's.

An upload is private: only this code reads it, under the id of the user who made it. It is deleted
with its request, and `delete_unused` removes what no request took within a day.
"""

import hashlib
import time
import uuid
from dataclasses import dataclass
from datetime import datetime

from imagegen.providers import bucket, http, memory
from imagegen.providers.base import GenerationJob, GeneratorError, Photo
from imagegen.providers.failures import Reason, failure
from imagegen.providers.images import FORMATS, NotAnImage, opened

MAX_BYTES = 8 * 1024 * 1024
PHOTO_FORMATS = {**FORMATS, "HEIF": "image/heic"}  # HEIF where a plugin of Pillow reads it


@dataclass(frozen=True, slots=True)
class UploadedPhoto:
    """A photo as it was stored; `upload_id` names it in an order of the same user."""

    upload_id: str
    mime_type: str
    width: int
    height: int
    bytes: int


def save(user_id: str, data: bytes, *, timeout_seconds: float) -> UploadedPhoto:
    """Store a user's photo privately.

    Raises NotAnImage when the bytes are no photo of a known type, or longer than `MAX_BYTES`;
    GeneratorError (IMAGE_NOT_STORED, STORAGE_NOT_CONFIGURED).
    """
    mime_type, (width, height) = _inspect(data)
    upload_id = uuid.uuid4().hex
    deadline = time.monotonic() + timeout_seconds
    bucket.upload(_path(user_id, upload_id), data, mime_type, deadline=deadline)
    return UploadedPhoto(upload_id, mime_type, width, height, len(data))


def exists(user_id: str, upload_id: str, *, timeout_seconds: float) -> bool:
    """Whether the user has that upload. Raises GeneratorError when that cannot be found out."""
    deadline = time.monotonic() + timeout_seconds
    return bucket.download(_path(user_id, upload_id), deadline=deadline, max_bytes=0) is not None


def load(job: GenerationJob, *, deadline: float) -> Photo:
    """The photo that a job starts from. Raises GeneratorError; nothing has been paid for by then.

    A URL is fetched through `outbound`, once for all that is done with it.
    """
    source = job.source or {}
    try:
        memory.photos.take(deadline)
        if "uploadId" in source:
            path = _path(job.user_id, source["uploadId"])
            data = bucket.download(path, deadline=deadline, max_bytes=MAX_BYTES)
        else:
            data = http.fetch(source["url"], deadline=deadline, max_bytes=MAX_BYTES)
        if data is None:
            raise failure(Reason.SOURCE_NOT_USABLE, "no such upload")
        return Photo(data, _inspect(data)[0])
    except NotAnImage as error:
        raise failure(Reason.SOURCE_NOT_USABLE, str(error)) from error
    except GeneratorError as error:
        if error.reason == Reason.IMAGE_NOT_FETCHED:
            raise failure(Reason.SOURCE_NOT_USABLE, error.detail) from error
        raise


def delete(user_id: str, upload_id: str, *, timeout_seconds: float) -> None:
    """Delete one upload; no-op if it is gone. Raises GeneratorError."""
    bucket.delete(_path(user_id, upload_id), deadline=time.monotonic() + timeout_seconds)


def delete_all(user_id: str, *, timeout_seconds: float) -> int:
    """Delete every upload of a user; how many. Raises GeneratorError; safe twice."""
    return bucket.delete(_path(user_id, ""), deadline=time.monotonic() + timeout_seconds)


def delete_unused(before: datetime, *, timeout_seconds: float) -> int:
    """Delete what was uploaded before that moment; how many. Raises GeneratorError; safe twice.

    A request ends within minutes, so after a day no request needs its photo any more.
    """
    deadline = time.monotonic() + timeout_seconds
    return bucket.delete("sources/", deadline=deadline, before=before)


def _path(user_id: str, upload_id: str) -> str:
    owner = hashlib.sha256(user_id.encode()).hexdigest()
    return f"sources/{owner}/{upload_id}"


def _inspect(data: bytes) -> tuple[str, tuple[int, int]]:
    """MIME type and size, by content. Raises NotAnImage."""
    if len(data) > MAX_BYTES:
        raise NotAnImage(f"the photo is longer than {MAX_BYTES:,} bytes")
    with opened(data, PHOTO_FORMATS, decode=False) as image:
        return PHOTO_FORMATS[str(image.format)], image.size
