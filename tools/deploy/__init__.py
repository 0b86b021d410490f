"""Checks before a deploy, a proof after it, and the alerts: `python -m deploy`."""
