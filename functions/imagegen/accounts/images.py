"""Images of somebody who leaves: those of all attempts are deleted, also what arrives late."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from imagegen import db
from imagegen.accounts.closing import QUIET
from imagegen.credits.closures import ClosureDocument
from imagegen.generation import request as generation_request
from imagegen.generation.listing import requests_query
from imagegen.generation.request import RequestDocument

PAGE_SIZE = 200
AT_ONCE = 16
SECONDS = 60.0  # for the images of a page of requests


def delete(requests: Sequence[RequestDocument]) -> None:
    """Delete the images of all attempts at these requests; no-op where none are stored.

    Raises GeneratorError, after which it may be repeated.
    """
    from imagegen.providers import bucket, storage  # noqa: PLC0415 - other functions store none

    if not bucket.is_configured():
        return
    deadline = time.monotonic() + SECONDS
    for _ in _map(lambda each: storage.delete_images(each.id, deadline=deadline), requests):
        pass


def delete_late(closure: ClosureDocument) -> None:
    """Delete what has been uploaded behind the deletion, as a thumbnail may be.

    Only requests that had not ended long before the closing began can have such images. They are
    the tombstone's by now. Raises GeneratorError and BackendUnavailable.
    """
    began_at, after = closure.began_at, None
    if began_at is None:
        return
    since = began_at - QUIET - generation_request.longest_life()
    while page := db.query(requests_query(closure.tombstone, [], PAGE_SIZE, after, since=since)):
        requests = [RequestDocument(document) for document in page]
        delete(requests)
        if len(page) < PAGE_SIZE:
            break
        after = (requests[-1].created_at, requests[-1].id)


def _map(
    function: Callable[[RequestDocument], int], requests: Sequence[RequestDocument]
) -> Iterable[int]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return pool.map(function, requests)
