"""Firebase Authentication as far as imagegen asks it: who is a user, and that one is no more."""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import SimpleNamespace

from firebase_admin import auth, exceptions
from google.api_core.exceptions import GoogleAPICallError

from simulation.faults import ON_ENQUEUE, ON_READ, Fault
from simulation.network import Network

TIMEOUT_SECONDS = 10.0


def email_of(uid: str) -> str:
    return f"{uid}@example.org"


class Users:
    """Takes the place of `firebase_admin.auth`: who has signed up, over a network that fails."""

    UserNotFoundError = auth.UserNotFoundError

    def __init__(self, network: Network, known: Collection[str]) -> None:
        self._network = network
        self.known = set(known)

    def get_user(self, uid: str, app: object) -> object:
        if not self._call(ON_READ, f"get user {uid}", lambda: uid in self.known):
            raise auth.UserNotFoundError(f"no {uid}")
        return SimpleNamespace(email=email_of(uid), provider_data=[])

    def delete_user(self, uid: str, app: object) -> None:
        def delete() -> bool:
            is_known = uid in self.known
            self.known.discard(uid)
            return is_known

        if not self._call(ON_ENQUEUE, f"delete user {uid}", delete):
            raise auth.UserNotFoundError(f"no {uid}")

    def _call(self, kinds: tuple[Fault, ...], about: str, perform: Callable[[], bool]) -> bool:
        try:
            return self._network.call(kinds, about, perform, TIMEOUT_SECONDS)
        except GoogleAPICallError as error:
            raise exceptions.UnavailableError("by schedule") from error
