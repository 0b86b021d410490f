"""The token for Vertex AI: one for many calls, and failures that say what to do."""

from collections.abc import Iterator
from typing import Any

import pytest
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from pytest_mock import MockerFixture

from imagegen.providers import service_account
from imagegen.providers.base import GeneratorError


@pytest.fixture(autouse=True)
def _nothing_cached() -> Iterator[None]:
    service_account._credentials.cache_clear()
    yield
    service_account._credentials.cache_clear()


class Credentials:
    """A token that has to be fetched once."""

    def __init__(self, error: Exception | None = None) -> None:
        self.token: str | None = None
        self.valid, self.fetched, self.error = False, 0, error

    def refresh(self, _request: Any) -> None:
        if self.error is not None:
            raise self.error
        self.fetched += 1
        self.token, self.valid = f"ya29.{self.fetched}", True


def test_a_token_is_fetched_once_and_again_when_it_has_expired(mocker: MockerFixture) -> None:
    credentials = Credentials()
    default = mocker.patch("google.auth.default", return_value=(credentials, "demo"))
    assert [service_account.access_token() for _ in range(3)] == ["ya29.1"] * 3
    credentials.valid = False
    assert service_account.access_token() == "ya29.2"
    default.assert_called_once()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RefreshError("metadata server"), "PROVIDER_UNREACHABLE"),
        (TransportError("refused"), "PROVIDER_UNREACHABLE"),
    ],
)
def test_a_token_that_cannot_be_fetched_now_may_be_later(
    mocker: MockerFixture, error: Exception, reason: str
) -> None:
    mocker.patch("google.auth.default", return_value=(Credentials(error), "demo"))
    with pytest.raises(GeneratorError) as failed:
        service_account.access_token()
    assert (failed.value.reason, failed.value.billed) == (reason, False)


def test_where_there_is_no_service_account_the_operator_has_to_act(mocker: MockerFixture) -> None:
    mocker.patch("google.auth.default", side_effect=DefaultCredentialsError("none"))
    with pytest.raises(GeneratorError) as failed:
        service_account.access_token()
    assert failed.value.reason == "PROVIDER_AUTH"
