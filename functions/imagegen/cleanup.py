"""Cleanup: everything that is deleted for its age, and deletions that were left unfinished.

It stands above the packages whose data it deletes.
"""

import time
from collections.abc import Callable

from imagegen import logger
from imagegen.errors import ImagegenError
from imagegen.generation import deletion, retention, uploads

RUN_SECONDS = 480.0

# Each deletes a page of what is due and returns how many documents or files it has dealt with; 0
# when nothing is left. All of them are safe to run twice at once, and again after dying half-way.
SWEEPS: dict[str, Callable[[], int]] = {
    "prompts": retention.delete_prompts,
    "images": retention.delete_images,
    "deletions": deletion.finish_due,
    "uploads": uploads.delete_expired,
}


def run() -> dict[str, int]:
    """Run each sweep until nothing is left or the time is over; how many each has dealt with.

    The sweeps take turns, page by page, so that none has to wait for the others; the next run
    goes on where this one ends. One that fails is logged, and the others go on.

    Raises ImagegenError, in the end, when a sweep has failed.
    """
    deadline = time.monotonic() + RUN_SECONDS
    done, failed, going = dict.fromkeys(SWEEPS, 0), [], dict(SWEEPS)
    while going and time.monotonic() < deadline:
        for name, sweep in list(going.items()):
            try:
                number = sweep()
            except Exception as error:  # noqa: BLE001 - it must not stop the others
                logger.error("cleanup failed", sweep=name, error=repr(error))
                failed.append(name)
                number = 0
            done[name] += number
            if not number:
                del going[name]
    logger.info("cleanup", **done, unfinished=list(going))
    if failed:
        raise ImagegenError(f"{', '.join(failed)} could not be cleaned up")
    return done
