"""Trouble that a person can do something about; the program prints it in a line or two and exits 1."""


class DevError(Exception):
    """What went wrong, and after a line break where to look or what to do."""
