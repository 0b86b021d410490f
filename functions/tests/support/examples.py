"""How many examples are made up where tests draw them: few in `make test`, more in `make fuzz`."""

import os

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
