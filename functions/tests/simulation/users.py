"""Firebase Authentication as `imagegen.purchases.buyer` asks it."""

from __future__ import annotations

from collections.abc import Collection

from firebase_admin import auth, exceptions
from google.api_core.exceptions import GoogleAPICallError

from simulation.faults import ON_READ
from simulation.network import Network

TIMEOUT_SECONDS = 10.0


class Users:
    """Takes the place of `firebase_admin.auth`: who has signed up, over a network that fails."""

    UserNotFoundError = auth.UserNotFoundError

    def __init__(self, network: Network, known: Collection[str]) -> None:
        self._network = network
        self._known = known

    def get_user(self, uid: str, app: object) -> object:
        try:
            known = self._network.call(
                ON_READ, f"get user {uid}", lambda: uid in self._known, TIMEOUT_SECONDS
            )
        except GoogleAPICallError as error:
            raise exceptions.UnavailableError("by schedule") from error
        if not known:
            raise auth.UserNotFoundError(f"no {uid}")
        return uid
