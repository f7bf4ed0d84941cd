"""Text of other people, such as the names of their files, as it can be shown in a terminal and sent as JSON."""

import unicodedata

_ESCAPED_BYTES = range(0xDC80, 0xDD00)
"""What Python decodes bytes to that are not UTF-8 (PEP 383)."""


def printable(text: str) -> str:
    r"""Return the text with what no terminal should see escaped: control characters, bidirectional marks, undecoded bytes.

    Letters of all scripts and all spaces stay. `caf\udce9.jpg`, which was Latin-1, becomes `caf\xe9.jpg`.
    """
    return "".join(letter if _can_be_shown(letter) else _escaped(letter) for letter in text)


def _can_be_shown(letter: str) -> bool:
    return letter.isprintable() or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    if ord(letter) in _ESCAPED_BYTES:
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("unicode_escape").decode("ascii")
