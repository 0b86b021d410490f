"""The check of a prompt before anything is charged, where MODERATION asks for one."""

from imagegen import config, db
from imagegen.catalogue.cache import Cache
from imagegen.errors import BackendUnavailable, PromptRefused
from imagegen.providers import moderation
from imagegen.providers.base import GeneratorError

WORDS = "settings/moderation"  # {words: [...]}; no client reads it


def check(prompt: str) -> None:
    """Raises PromptRefused; BackendUnavailable when the check cannot be made."""
    mode = config.MODERATION.value
    words = _words.get(config.CATALOGUE_TTL_SECONDS.value) if mode == "words" else ()
    try:
        refused = moderation.is_refused(prompt, mode=mode, words=words)
    except GeneratorError as error:
        message = "The prompt could not be checked; nothing was charged."
        raise BackendUnavailable(message) from error
    if refused:
        raise PromptRefused


def _load_words() -> tuple[str, ...]:
    (document,) = db.read(WORDS)
    words = document.get("words") if document.exists else None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        # Without its list, the operator's wish to refuse cannot be followed.
        raise BackendUnavailable(f"{WORDS} holds no list of words.")
    return tuple(words)


_words = Cache(_load_words)
