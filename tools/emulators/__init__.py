"""The Firebase emulators of this project, as developers and tests use them.

Only the standard library is used: this runs before functions/venv exists.
"""
