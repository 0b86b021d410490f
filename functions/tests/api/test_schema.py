"""What may stand in a request: ids, text and whole numbers."""

import pytest
from pydantic import TypeAdapter, ValidationError
from support.orders import order_body

from imagegen.api.schema import DocumentId, PageSize
from imagegen.generation.orders import CreateGenerationRequest

IDS = TypeAdapter(DocumentId)
SIZES = TypeAdapter(PageSize)


@pytest.mark.parametrize("value", ["a", "testUser1", "ü" * 749, "a b", "_x_", "__x", "...", "日本"])
def test_ids_that_firestore_holds_are_taken(value: str) -> None:
    assert IDS.validate_python(value) == value


@pytest.mark.parametrize(
    "value",
    [
        "",
        "/",
        "a/b",
        ".",
        "..",
        "__x__",
        "____",
        "x" * 1500,
        "ü" * 750,
        "a\x00",
        "a\nb",
        "\ud800",
        7,
    ],
)
def test_ids_that_firestore_cannot_hold_are_refused(value: object) -> None:
    with pytest.raises(ValidationError):
        IDS.validate_python(value)


def int64(value: object, kind: str = "Int64Value") -> dict[str, object]:
    """A 64-bit number as the SDKs for iOS and Android send it."""
    return {"@type": f"type.googleapis.com/google.protobuf.{kind}", "value": value}


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3),
        (0, 0),
        ("20", 20),
        ("9" * 10, 9_999_999_999),
        (20.0, 20),
        (int64("20"), 20),
        (int64("20", "UInt64Value"), 20),
    ],
)
def test_whole_numbers_are_taken_as_clients_write_them(value: object, number: int) -> None:
    taken = SIZES.validate_python(value)
    assert (taken, type(taken)) == (number, int)


@pytest.mark.parametrize(
    "value",
    [
        *(True, -1, 2.5, -2.0, float("inf"), float("nan"), None, [], {}),
        *("2.0", " 2", "-1", "٣", "", "9" * 5000),
        *(int64("2.0"), int64("-1"), int64(2), int64(True), int64(None), int64(int64("2"))),
        *(int64("2", "StringValue"), {"@type": [], "value": "2"}, {"value": "2"}),
        int64("2") | {"more": 1},
    ],
)
def test_everything_else_is_no_page_size(value: object) -> None:
    with pytest.raises(ValidationError):
        SIZES.validate_python(value)


@pytest.mark.parametrize(
    ("prompt", "kept"),
    [("  a cat \n", "a cat"), ("x" * 2000, "x" * 2000), ("two\nlines", "two\nlines")],
)
def test_a_prompt_is_trimmed(prompt: str, kept: str) -> None:
    order = CreateGenerationRequest.model_validate(order_body("u", prompt=prompt))
    assert order.prompt == kept


@pytest.mark.parametrize("prompt", ["", "   ", "x" * 2001, "nul\x00", "\udfff", 5, None, ["a"]])
def test_a_prompt_that_is_no_text_of_1_to_2000_characters_is_refused(prompt: object) -> None:
    with pytest.raises(ValidationError):
        CreateGenerationRequest.model_validate(order_body("u", prompt=prompt))
