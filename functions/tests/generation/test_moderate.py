"""A prompt that is refused before the charge costs nothing."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from google.cloud import firestore
from support.books import check_books, requests_of
from support.orders import ANYBODY, order

from imagegen.errors import BackendUnavailable, PromptRefused
from imagegen.generation import create as generation
from imagegen.generation import moderate
from imagegen.providers import moderation
from imagegen.providers.failures import Reason, failure


@pytest.fixture
def words(client: firestore.Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The operator's list, in Firestore."""
    document = client.document(moderate.WORDS)
    document.set({"words": ["dragon", "two words"]})
    monkeypatch.setenv("MODERATION", "words")
    moderate._words.clear()
    yield document
    document.delete()
    moderate._words.clear()


@pytest.mark.usefixtures("words")
def test_a_prompt_with_a_word_of_the_list_is_refused_uncharged(
    client: firestore.Client, new_user: Callable[..., str]
) -> None:
    user_id = new_user(5)
    with pytest.raises(PromptRefused) as refused:
        generation.create(order(user_id, prompt="a DRAGON at dusk"), ANYBODY)
    assert refused.value.details == {}
    assert requests_of(client, user_id) == []
    assert generation.create(order(user_id, prompt="a dragonfly"), ANYBODY).code == 200
    assert check_books(client, user_id, opening=5) == 4


def test_a_repeated_call_is_answered_although_its_prompt_would_be_refused_now(
    new_user: Callable[..., str], words: Any
) -> None:
    keyed = order(new_user(5), prompt="a castle", idempotencyKey="k")
    generation.create(keyed, ANYBODY)
    words.set({"words": ["castle"]})
    moderate._words.clear()
    assert generation.create(keyed, ANYBODY).headers == {"Idempotency-Replayed": "true"}
    with pytest.raises(PromptRefused):
        generation.create(order(keyed.user_id, prompt="a castle"), ANYBODY)


@pytest.mark.parametrize("content", [None, {"words": "dragon"}, {"words": [1]}])
def test_without_its_list_no_order_is_taken(
    client: firestore.Client, new_user: Callable[..., str], words: Any, content: Any
) -> None:
    if content is None:
        words.delete()
    else:
        words.set(content)
    moderate._words.clear()
    user_id = new_user(5)
    with pytest.raises(BackendUnavailable):
        generation.create(order(user_id), ANYBODY)
    assert check_books(client, user_id, opening=5) == 5


def test_a_check_that_does_not_answer_takes_no_order(
    client: firestore.Client, new_user: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(*_: Any, **__: Any) -> bool:
        raise failure(Reason.PROVIDER_UNREACHABLE)

    monkeypatch.setenv("MODERATION", "openai")
    monkeypatch.setattr(moderation, "is_flagged", unreachable)
    user_id = new_user(5)
    with pytest.raises(BackendUnavailable, match="nothing was charged"):
        generation.create(order(user_id), ANYBODY)
    assert check_books(client, user_id, opening=5) == 5
