"""Whether a prompt is refused before anything is charged: by a list of words, or by OpenAI."""

import re
import time
import unicodedata
from collections.abc import Iterable

from imagegen.providers.failures import Reason, failure

OPENAI_URL = "https://api.openai.com/v1/moderations"
OPENAI_SECRET = "OPENAI_API_KEY"  # noqa: S105 - the name, not the value
OPENAI_MODEL = "omni-moderation-latest"
TIMEOUT_SECONDS = 2.0


def is_refused(
    prompt: str,
    *,
    mode: str,
    words: Iterable[str] = (),
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> bool:
    """Whether `mode` (the parameter MODERATION) refuses the prompt; `words` are for mode words.

    Raises GeneratorError when the check could not be made: the order cannot be taken then.
    """
    match mode:
        case "words":
            return contains_word(prompt, words)
        case "openai":
            return is_flagged(prompt, deadline=time.monotonic() + timeout_seconds)
    return False


def contains_word(prompt: str, words: Iterable[str]) -> bool:
    """Whether one of the words or phrases stands in the prompt, whole, in any case or font."""
    text = _folded(prompt)
    return any(
        re.search(rf"(?<!\w){re.escape(_folded(word))}(?!\w)", text)
        for word in words
        if word.strip()
    )


def is_flagged(prompt: str, *, deadline: float) -> bool:
    """Whether OpenAI's moderation flags the prompt. A call costs nothing.

    Raises GeneratorError when it does not answer.
    """
    from imagegen.providers import http  # noqa: PLC0415 - for this mode only

    headers = http.secret_header(OPENAI_SECRET, OPENAI_URL)
    body = {"model": OPENAI_MODEL, "input": prompt}
    answer = http.call("POST", OPENAI_URL, deadline=deadline, headers=headers, json=body)
    if answer.status != 200:
        raise http.failure_of(answer)
    try:
        return any(bool(result["flagged"]) for result in answer.json()["results"])
    except (LookupError, TypeError) as error:
        raise failure(Reason.PROVIDER_FAILED, "no result in the answer") from error


def _folded(text: str) -> str:
    """Without case, accents, and the fonts and widths that Unicode has for the same letters."""
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    return " ".join(plain.split())
