"""The one error of the tools."""


class Problem(Exception):
    """What is wrong and what to do about it, in one sentence for whoever ran the command."""
