"""How many images the instance holds in memory at the same time.

An image of 3 MB takes about 20 MB on its way: the answer, its JSON, the decoded pixels, the upload.
Eighty calls that are answered at the same moment would need more than the instance has. So the
thread that has begun to read an image takes a place and keeps it until the image is stored; the
others leave their answers on the wire. Photos to start from have places of their own, which are
taken for longer: from before the order to its end.
"""

import threading
import time

from imagegen.providers.failures import Reason, failure


class Places:
    """A number of places, at most one for each thread."""

    def __init__(self, number: int) -> None:
        self._free = threading.BoundedSemaphore(number)
        self._thread = threading.local()

    def take(self, deadline: float) -> None:
        """Wait for a place; no-op if the thread has one.

        Raises GeneratorError (GENERATION_TIMEOUT) when there is none before `deadline`.
        """
        if getattr(self._thread, "has_place", False):
            return
        if not self._free.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise failure(Reason.GENERATION_TIMEOUT, "too many images at once")
        self._thread.has_place = True

    def give_back(self) -> None:
        """Give back the thread's place, if it has one."""
        if getattr(self._thread, "has_place", False):
            self._thread.has_place = False
            self._free.release()


images = Places(8)
photos = Places(6)
