"""Users who delete their accounts in the middle of it: requests run, and money is on its way."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
from support.operators import token
from support.sign_in import bearer

from soak.traffic import Client, Journal

AT_ONCE = 6  # calls of one user


class Leaver(Client):
    """Has one account after the other, `rest_seconds` apart; `open_account` makes one, with some
    credits.
    """

    def __init__(
        self,
        url: str,
        open_account: Callable[[str], None],
        journal: Journal,
        stopped: threading.Event,
        seed: int,
        rest_seconds: float = 0.0,
    ) -> None:
        super().__init__(url, [], journal, stopped, seed)
        self._open_account, self._rest_seconds = open_account, rest_seconds

    def act(self) -> None:
        while not self._stopped.is_set():
            self._come_and_go()
            self._stopped.wait(self._rest_seconds)
        self._http.close()

    def _come_and_go(self) -> None:
        """Buy, delete the account among orders and more purchases, and buy once more."""
        user_id = f"leaver-{uuid.UUID(int=self._chance.getrandbits(128)).hex}"
        self._open_account(user_id)
        self._users = [user_id]
        self._buy()
        meanwhile = [
            self._order_in_background, self._order, self._order_in_background, self._buy,
            self._delete_account, self._order, self._order_in_background, self._buy,
        ]  # fmt: skip
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for each in [pool.submit(act) for act in meanwhile]:
                each.result()
        self._buy()  # a store knows nothing of deleted accounts
        self._order()

    def _delete_account(self) -> None:
        (user_id,) = self._users
        self._journal.left.append(user_id)
        self.leave(user_id)

    def leave(self, user_id: str) -> httpx.Response | None:
        """Delete the account; no-op if it is deleted already."""
        return self.settled("deleteAccount", {}, bearer(token(user_id)))
