"""What may stand in a request: ids, text and whole numbers."""

import pytest
from pydantic import TypeAdapter, ValidationError
from support.orders import order_body

from imagegen.api.schema import DocumentId, PageSize
from imagegen.generation.request import CreateGenerationRequest

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


@pytest.mark.parametrize(
    ("value", "number"), [(3, 3), ("20", 20), (0, 0), ("9" * 10, 9_999_999_999)]
)
def test_page_sizes_may_come_from_a_query_string(value: object, number: int) -> None:
    assert SIZES.validate_python(value) == number


@pytest.mark.parametrize("value", [True, -1, 2.0, "2.0", " 2", "-1", "٣", "", None, "9" * 5000])
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
