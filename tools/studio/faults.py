"""The ways to fail, asked for by `[fault:NAME]` in a prompt."""

import re
from enum import StrEnum


class Fault(StrEnum):
    """What goes wrong. Where a job is started, the first group answers the order itself."""

    RATE_LIMIT = "rate-limit"  # 429 with Retry-After
    QUOTA = "quota"  # the account is out of money
    AUTH = "auth"  # 401
    SERVER_ERROR = "server-error"  # 500, nothing made
    DROP_BEFORE = "drop-before"  # the connection ends, nothing made
    DROP_AFTER = "drop-after"  # the connection ends, the image is made and billed

    REFUSAL = "refusal"  # by the content rules
    NO_IMAGE = "no-image"  # success without an image
    HTML = "html"  # a web page instead of an image
    BOMB = "bomb"  # a small file with 400 million pixels
    EXPIRED_URL = "expired-url"  # an image whose URL is dead
    DRIP = "drip"  # a byte at a time
    SLOW = "slow"  # half a minute


def fault_in(prompt: str) -> Fault | None:
    """The fault that a prompt asks for; None for a name that is none."""
    found = re.search(r"\[fault:([a-z-]+)\]", prompt)
    return Fault(found[1]) if found and found[1] in set(Fault) else None
