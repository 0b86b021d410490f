"""Cloud Storage as `imagegen.providers.storage` uses it: the objects, and which URLs serve them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulation.faults import ON_UPLOAD
from simulation.network import Network

UPLOAD_SECONDS = 60.0


@dataclass(frozen=True)
class StoredObject:
    """One object as it stands."""

    data: bytes
    token: str


class Bucket:
    """Takes the place of `google.cloud.storage.Client` and of the bucket behind it."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._objects: dict[str, StoredObject] = {}

    def __call__(self, project: str | None) -> Bucket:
        return self

    def bucket(self, name: str) -> Bucket:
        return self

    def blob(self, path: str) -> Blob:
        return Blob(self, path)

    def upload(self, path: str, data: bytes, token: str, timeout_seconds: float) -> None:
        """Store an object, whatever was there before: an upload has no precondition."""

        def apply() -> None:
            self._objects[path] = StoredObject(data, token)

        self._network.call(ON_UPLOAD, f"upload {path[-12:]}", apply, timeout_seconds)

    def served_at(self, url: str) -> bytes | None:
        """What a client that follows a download URL gets; None: 403, 404, or no URL of the bucket.

        An object that was stored again has another token, so the URL of before is dead.
        """
        parts = urllib.parse.urlsplit(url)
        stored = self._objects.get(urllib.parse.unquote(parts.path.rpartition("/o/")[2]))
        tokens = urllib.parse.parse_qs(parts.query).get("token", [])
        return stored.data if stored is not None and tokens == [stored.token] else None


class Blob:
    """One object that is to be uploaded."""

    def __init__(self, bucket: Bucket, path: str) -> None:
        self._bucket = bucket
        self._path = path
        self.metadata: Mapping[str, str] = {}

    def upload_from_string(
        self, data: bytes, content_type: str, timeout: float = UPLOAD_SECONDS, **_: Any
    ) -> None:
        token = self.metadata["firebaseStorageDownloadTokens"]
        self._bucket.upload(self._path, data, token, timeout)
