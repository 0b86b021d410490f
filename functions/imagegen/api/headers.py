"""Values of a request header that may have been sent more than once."""

import re

_VALUE = re.compile(r'\s*("[^"]*"\s*|[^,]*),')


def distinct(header: str) -> list[str]:
    """The different values in `header`, each once; a value in double quotes may hold commas.

    A proxy or a retry may repeat a header, and servers join repetitions with commas (RFC 9110,
    section 5.2): ``k`` sent twice arrives as ``k,k``.
    """
    return list(dict.fromkeys(value.strip() for value in _VALUE.findall(header + ",")))
