"""Cloud Storage: where images are kept, behind download URLs, and the photos that users upload.

    generations/{requestId}/{attemptId}.png      the image of one attempt at a request
    generations/{requestId}/{attemptId}-512.webp its thumbnail
    sources/{day}/{hash of userId}/{uploadId}    a photo to start from; it has no download URL

Every attempt has a path of its own, so an attempt that is late cannot replace what was delivered.
The user's id is in no path: it would be part of a URL that people share.
"""

import hashlib
import threading
import time

from imagegen import logger
from imagegen.providers import bucket
from imagegen.providers.base import GenerationJob, GeneratorError, StoredImage
from imagegen.providers.images import EXTENSIONS, Picture

DISCARD_SECONDS = 5.0
THUMBNAIL_SECONDS = 1.0  # that an image waits for its thumbnail
LONGEST_THUMBNAIL_SECONDS = 10.0  # that the upload of one takes


def store(job: GenerationJob, picture: Picture, *, deadline: float, token: str) -> StoredImage:
    """Keep an image and its thumbnail; the URLs under which a client that knows them can load them.

    The URLs carry a token, like those of Firebase's own `getDownloadURL`: `token`, which is random
    and the same for every try of an attempt, and one that follows from it. The thumbnail is
    uploaded meanwhile and may take a second longer than the image; after that there is none.

    Raises GeneratorError (IMAGE_NOT_STORED).
    """
    stem = f"generations/{job.generation_request_id}/{job.attempt_id}"
    small = _Upload(f"{stem}-512.webp", picture.thumbnail, _token_of_thumbnail(token))
    path = f"{stem}.{EXTENSIONS[picture.mime_type]}"
    url = bucket.upload(path, picture.data, picture.mime_type, deadline=deadline, token=token)
    return StoredImage(
        url=url,
        path=path,
        width=picture.width,
        height=picture.height,
        mime_type=picture.mime_type,
        bytes=len(picture.data),
        thumbnail_url=small.url(min(THUMBNAIL_SECONDS, deadline - time.monotonic())),
    )


def delete_images(generation_request_id: str, *, attempt_id: str = "", deadline: float) -> int:
    """Delete the images of all attempts at a request, or of one, with their thumbnails.

    The number of objects is returned.

    Raises GeneratorError (IMAGE_NOT_STORED) when the storage cannot be reached: call it again.
    """
    return bucket.delete(f"generations/{generation_request_id}/{attempt_id}", deadline=deadline)


def discard_images(generation_request_id: str, *, attempt_id: str = "") -> None:
    """The same for images that nobody was given, without fail: what stays is only in the way."""
    deadline = time.monotonic() + DISCARD_SECONDS
    try:
        deleted = delete_images(generation_request_id, attempt_id=attempt_id, deadline=deadline)
    except GeneratorError as error:
        logger.warn(
            "images not deleted", generationRequestId=generation_request_id, error=repr(error)
        )
        return
    if deleted:
        logger.info("images deleted", generationRequestId=generation_request_id, objects=deleted)


def _token_of_thumbnail(token: str) -> str:
    """Whoever has it does not have the image's."""
    return hashlib.sha256(f"thumbnail {token}".encode()).hexdigest()[:32]


class _Upload:
    """A thumbnail that is uploaded in a thread of its own, because nothing may wait for it."""

    def __init__(self, path: str, data: bytes | None, token: str) -> None:
        self._path = path
        self._data = data
        self._token = token
        self._url: str | None = None
        self._thread = threading.Thread(target=self._run, name=path, daemon=True)
        if data is not None:
            self._thread.start()

    def _run(self) -> None:
        deadline = time.monotonic() + LONGEST_THUMBNAIL_SECONDS
        try:
            self._url = bucket.upload(
                self._path, self._data or b"", "image/webp", deadline=deadline, token=self._token
            )
        except GeneratorError:
            self._url = None

    def url(self, timeout_seconds: float) -> str | None:
        if self._data is not None:
            self._thread.join(max(0.0, timeout_seconds))
        return self._url
