"""Write the description of the API again, or check it.

python -m openapi            write what is not up to date
python -m openapi --check    say what is not up to date
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from openapi.checkout import ROOT
from openapi.files import files


def main(arguments: Sequence[str]) -> int:
    stale = [
        (path, text)
        for path, text in files().items()
        if not path.exists() or path.read_text() != text
    ]
    for path, text in stale:
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is not up to date: run `make openapi`.")
        else:
            path.write_text(text)
            print(f"Written: {path.relative_to(ROOT)}")
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
