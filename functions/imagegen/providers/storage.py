"""Where the bytes that a generator made are kept: a Cloud Storage bucket, behind a download URL."""

import os
import urllib.parse
import uuid

from imagegen import config


def store(generation_request_id: str, attempt_id: str, data: bytes, mime_type: str) -> str:
    """Keep the image's bytes; the URL under which any client that knows it can load them.

    Each attempt has a path of its own, so that one that is late replaces nothing.

    The URL carries a random token, as Firebase's own `getDownloadURL` makes it.

    Raises google.api_core.exceptions.GoogleAPICallError when Cloud Storage does not take it.
    """
    # Imported when a model first gives bytes: it would cost every cold start a tenth of a second.
    from google.cloud import storage  # type: ignore[attr-defined]  # noqa: PLC0415

    project = os.environ.get("GCLOUD_PROJECT")
    bucket = config.IMAGE_BUCKET.value or f"{project}.firebasestorage.app"
    path, token = f"generations/{generation_request_id}/{attempt_id}", str(uuid.uuid4())
    blob = storage.Client(project=project).bucket(bucket).blob(path)
    blob.metadata = {"firebaseStorageDownloadTokens": token}
    blob.upload_from_string(data, content_type=mime_type)
    host = os.environ.get("STORAGE_EMULATOR_HOST", "https://firebasestorage.googleapis.com")
    quoted = urllib.parse.quote(path, safe="")
    return f"{host}/v0/b/{bucket}/o/{quoted}?alt=media&token={token}"
