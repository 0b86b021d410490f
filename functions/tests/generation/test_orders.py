"""What may be ordered, under which id, and when two orders are the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.orders import order, order_body

from imagegen.generation import orders
from imagegen.generation.orders import CreateGenerationRequest


@pytest.mark.parametrize(
    ("headers", "fields"),
    [
        ({}, {}),
        ({"Idempotency-Key": "k1"}, {"idempotencyKey": "k1"}),
        ({"Idempotency-Key": '"k1"'}, {"idempotencyKey": "k1"}),
        ({"Idempotency-Key": '"'}, {"idempotencyKey": '"'}),
        ({"Prefer": "respond-async"}, {"mode": "async"}),
        ({"Prefer": "wait=10, Respond-Async; x=1"}, {"mode": "async"}),
        ({"Prefer": "return=minimal"}, {}),
    ],
)
def test_headers_state_the_key_and_the_mode(
    headers: dict[str, str], fields: dict[str, str]
) -> None:
    assert CreateGenerationRequest.fields_of_headers(headers) == fields


@pytest.mark.parametrize("key", ["", "x" * 256, "ключ", "a\tb", "a\n", 5])
def test_a_key_that_is_not_1_to_255_printable_ascii_characters_is_refused(key: object) -> None:
    with pytest.raises(ValidationError):
        order("u", idempotencyKey=key)


@pytest.mark.parametrize(
    "source",
    [
        {"type": "photo", "url": "https://example.com/cat.jpg"},
        {"type": "address", "address": "10 Downing Street, London"},
    ],
)
def test_a_photo_or_an_address_is_kept_as_the_source(source: dict[str, str]) -> None:
    stored = orders._stored_source(order("u", source=source))
    assert stored == source


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"type": "video", "url": "https://example.com/x"},
        {"type": "photo", "url": "http://example.com/x.jpg"},
        {"type": "photo", "url": "file:///etc/passwd"},
        {"type": "photo", "url": "https://"},
        {"type": "photo", "url": "https://example.com/" + "x" * 2048},
        {"type": "photo", "address": "here"},
        {"type": "photo", "url": "https://example.com/x", "address": "here"},
        {"type": "address", "address": "  "},
        {"type": "address", "address": "x" * 501},
        "https://example.com",
    ],
)
def test_anything_else_is_no_source(source: object) -> None:
    with pytest.raises(ValidationError):
        order("u", source=source)


def test_the_id_follows_from_user_and_key_and_is_fresh_without_a_key() -> None:
    keyed = orders.request_id(order("ann", idempotencyKey="k"))
    assert keyed == orders.request_id(order("ann", idempotencyKey="k", prompt="another"))
    assert keyed != orders.request_id(order("bob", idempotencyKey="k"))
    assert keyed != orders.request_id(order("ann", idempotencyKey="K"))
    assert orders.request_id(order("ann")) != orders.request_id(order("ann"))


@given(st.text(min_size=1, max_size=30), st.text(min_size=1, max_size=30))
def test_ids_of_different_users_and_keys_never_meet(left: str, right: str) -> None:
    # "ab" + "c" and "a" + "bc" are different pairs.
    assert orders._digest([left, right]) != orders._digest([left + right, ""])


def test_spellings_of_the_same_option_are_the_same_order() -> None:
    plain = orders.fingerprint(order("ann", model="Model A", style="oil painting"))
    assert plain == orders.fingerprint(order("ann", model="model-a", style="Oil_Painting"))
    assert plain == orders.fingerprint(
        order("ann", model="Model A", style="oil painting", idempotencyKey="k")
    )


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "something else"},
        {"model": "Model B"},
        {"style": "sketch"},
        {"color": "pastel"},
        {"size": "1024x1024"},
        {"mode": "async"},
        {"source": {"type": "address", "address": "here"}},
        {"userId": "bob"},
    ],
)
def test_every_other_difference_makes_another_order(change: dict[str, Any]) -> None:
    other = CreateGenerationRequest.model_validate({**order_body("ann"), **change})
    assert orders.fingerprint(other) != orders.fingerprint(order("ann"))


def canonical(wanted: CreateGenerationRequest) -> tuple[Any, ...]:
    """What an order means, said without the code under test."""
    names = (wanted.model, wanted.style, wanted.color, wanted.size)
    folded = ["".join(each for each in name.casefold() if each not in "-_ ") for name in names]
    source = tuple(sorted(wanted.source.model_dump(mode="json").items())) if wanted.source else None
    return (wanted.user_id, *folded, wanted.prompt, source, wanted.mode)


few_orders = st.builds(
    order,
    st.sampled_from(["ann", "bob"]),
    model=st.sampled_from(["Model A", "model-a", "MODEL_A", "Model B"]),
    style=st.sampled_from(["anime", "ANIME", "oil painting"]),
    size=st.sampled_from(["512x512", "512X512", "1024x1024"]),
    prompt=st.sampled_from(["a", " a ", "A", "a b"]),
    mode=st.sampled_from(["sync", "async"]),
    source=st.sampled_from([None, {"type": "address", "address": "here"}]),
    idempotencyKey=st.sampled_from([None, "k", "l"]),
)


@given(few_orders, few_orders)
def test_two_orders_have_one_fingerprint_exactly_when_they_mean_the_same(
    left: CreateGenerationRequest, right: CreateGenerationRequest
) -> None:
    same = orders.fingerprint(left) == orders.fingerprint(right)
    assert same == (canonical(left) == canonical(right))


@pytest.mark.parametrize("prompt", ["\u200b", "\ufeff\u2060", "\u3164", "\u2800 \u00ad", "\u0301"])
def test_a_prompt_in_which_nobody_sees_anything_is_refused(prompt: str) -> None:
    with pytest.raises(ValidationError, match="visible"):
        order("ann", prompt=prompt)


@pytest.mark.parametrize("prompt", ["x", "🎨", "猫", "é", "👩\u200d🎨"])
def test_one_visible_character_is_a_prompt(prompt: str) -> None:
    assert order("ann", prompt=prompt).prompt == prompt


@pytest.mark.parametrize("user_id", ["   ", "\u3000"])
def test_a_blank_user_id_is_refused(user_id: str) -> None:
    with pytest.raises(ValidationError, match="blank"):
        order(user_id)


def test_the_limit_on_a_url_is_on_what_is_stored() -> None:
    short, long = "https://x.example/" + "é" * 300, "https://x.example/" + "é" * 600
    assert order("ann", source={"type": "photo", "url": short})
    with pytest.raises(ValidationError, match="percent-encoded"):
        order("ann", source={"type": "photo", "url": long})
