"""The weekly report: what was used, what it cost, what was unusual."""
