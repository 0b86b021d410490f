"""Checks before a deploy and a proof after it: `python -m deploy`."""
