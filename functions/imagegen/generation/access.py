"""The generation request that a caller names."""

from imagegen import db
from imagegen.api.auth import Caller
from imagegen.errors import GenerationRequestNotFound
from imagegen.generation.request import RequestDocument


def find(generation_request_id: str, caller: Caller) -> RequestDocument:
    """The document of a request that the caller may see.

    Raises GenerationRequestNotFound, also for another user's request: the answer must not tell
    whether it exists; BackendUnavailable.
    """
    (document,) = db.read(db.generation_request(generation_request_id))
    request = RequestDocument(document)
    if not request.exists or not caller.may_access(request.user_id):
        raise GenerationRequestNotFound(generationRequestId=generation_request_id)
    return request
