"""Secrets in documents that everybody may read.

`models/*` is public, and a key pasted into a model's document would be published with the next
page load. A document may name a secret (`OPENAI_API_KEY`); it never holds one.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# All three are compiled at their first use, as most functions never read a model.
# Fields whose value is a secret, whatever it looks like: apiKey, api_key, authorization, token.
SUSPICIOUS_FIELD = (
    r"(?i)((api|access|auth|private|secret|signing)[-_ ]?keys?$"
    r"|secrets?$|tokens?$|passwords?$|passphrase$|credentials?$|authorization$|bearer$)"
)
# The name of a secret, as Secret Manager and the environment have it: no key has this form.
PLAIN_NAME = r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*"
# Forms that vendors publish for their keys, so that a key is found in any field.
KEY_FORM = (
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\b(sk|rk|pk)[-_](live|test|proj|ant|or|svcacct)?[-_]?[A-Za-z0-9_-]{16,}"  # OpenAI, Stripe
    r"|\bAIza[A-Za-z0-9_-]{35}"  # Google
    r"|\bya29\.[A-Za-z0-9_-]{20,}"
    r"|\br8_[A-Za-z0-9]{20,}"  # Replicate
    r"|\bhf_[A-Za-z0-9]{20,}"  # Hugging Face
    r"|\bxai-[A-Za-z0-9]{20,}"
    r"|\btgp_v1_[A-Za-z0-9_-]{20,}"  # Together
    r"|\bwhsec_[A-Za-z0-9+/=]{16,}"
    r"|\bA(KIA|SIA)[A-Z0-9]{16}\b"  # AWS
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}"
    r"|\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\."  # a JSON web token
    r"|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:[0-9a-f]{32}\b"  # fal
    r"|\b(Bearer|Basic|Key) [A-Za-z0-9+/=_.:-]{16,}"
)


def found_in(fields: Mapping[str, Any]) -> list[str]:
    """The paths of the fields of a document that look like a secret, such as `headers.x-api-key`.

    The values are in no message: what is found may be a key, and messages are logged.
    """
    return list(_paths(fields, ""))


def _paths(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _paths(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, str):
        if _is_secret(path.rpartition(".")[2], value):
            yield path
    elif isinstance(value, Sequence) and not isinstance(value, bytes):
        # An item counts as a value of the list's field.
        found = {each for inner in value for each in _paths(inner, path)}
        yield from sorted(found)


def _is_secret(name: str, value: str) -> bool:
    if re.search(KEY_FORM, value):
        return True
    is_name = re.fullmatch(PLAIN_NAME, value) and ("_" in value or len(value) < 16)
    return bool(value) and not is_name and bool(re.search(SUSPICIOUS_FIELD, name))
