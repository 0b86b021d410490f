"""Cloud Storage as `imagegen.providers.bucket` uses it: the objects, and which URLs serve them."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass

from google.api_core import exceptions

from imagegen.providers.images import Picture
from simulation.faults import ON_READ, ON_UPLOAD
from simulation.network import Network
from simulation.world import World


def picture(
    data: bytes, *, width: int, height: int, exact: bool, timeout_seconds: float
) -> Picture:
    """Takes the place of `images.prepare`: the bytes are no image, and are kept as they are."""
    return Picture(data, "image/png", width, height, thumbnail=b"small " + data)


@dataclass(frozen=True)
class StoredObject:
    """One object as it stands."""

    data: bytes
    token: str


class Bucket:
    """Takes the place of `google.cloud.storage.Client` and of the bucket behind it."""

    def __init__(self, world: World, network: Network, *, hang_rate: float) -> None:
        self._world = world
        self._network = network
        self._hang_rate = hang_rate
        self.over = False
        self._objects: dict[str, StoredObject] = {}

    def bucket(self, name: str) -> Bucket:
        self.name = name
        return self

    def blob(self, path: str) -> Blob:
        return Blob(self, path)

    def upload(self, path: str, data: bytes, token: str, timeout_seconds: float) -> None:
        """Store an object, whatever was there before: an upload has no precondition."""

        def apply() -> None:
            self._objects[path] = StoredObject(data, token)

        random = self._world.random
        if not self.over and random.random() < self._hang_rate:
            late_seconds = random.choice((1, 30, 200)) * random.random()
            self._world.note(self._world.running(), f"upload {path[-12:]}, which hangs")
            self._world.after(timeout_seconds + late_seconds, apply)
            self._world.pause(timeout_seconds)
            raise exceptions.DeadlineExceeded("by the slow bucket")
        self._network.call(ON_UPLOAD, f"upload {path[-12:]}", apply, timeout_seconds)

    def list_blobs(
        self,
        *,
        prefix: str,
        end_offset: str | None,
        retry: None,
        timeout: float,
    ) -> list[Blob]:
        """The objects whose path begins with `prefix`."""

        def found() -> list[Blob]:
            return [Blob(self, path) for path in self._objects if path.startswith(prefix)]

        return self._network.call(ON_READ, f"list {prefix[-12:]}", found, timeout)

    def delete(self, path: str, timeout_seconds: float) -> None:
        def apply() -> None:
            if self._objects.pop(path, None) is None:
                raise exceptions.NotFound(path)

        self._network.call(ON_UPLOAD, f"delete {path[-12:]}", apply, timeout_seconds)

    def paths(self) -> list[str]:
        """Of all objects there are."""
        return list(self._objects)

    def served_at(self, url: str) -> bytes | None:
        """What a client that follows a download URL gets; None: 403, 404, or no URL of the bucket.

        An object that was stored again has another token, so the URL of before is dead.
        """
        parts = urllib.parse.urlsplit(url)
        stored = self._objects.get(urllib.parse.unquote(parts.path.rpartition("/o/")[2]))
        tokens = urllib.parse.parse_qs(parts.query).get("token", [])
        return stored.data if stored is not None and tokens == [stored.token] else None


class Blob:
    """One object that is to be uploaded, or that has been found."""

    def __init__(self, bucket: Bucket, path: str) -> None:
        self.bucket = bucket
        self._path = path
        self.metadata: Mapping[str, str] = {}
        self.cache_control = ""

    def upload_from_string(
        self, data: bytes, content_type: str, *, retry: None, timeout: float
    ) -> None:
        token = self.metadata["firebaseStorageDownloadTokens"]
        self.bucket.upload(self._path, data, token, timeout)

    def delete(self, *, retry: None, timeout: float) -> None:
        self.bucket.delete(self._path, timeout)
