"""What other people named can be shown in a terminal, and sent as JSON."""

import json

import pytest

from recon_api.errors import UsageError
from recon_api.printable import printable
from recon_api.reasons import INPUT_REJECTED


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("IMG 0001.jpg", "IMG 0001.jpg", id="ASCII"),
        pytest.param("写真\u30001.jpg", "写真\u30001.jpg", id="other scripts and their spaces"),
        pytest.param("café.jpg", "café.jpg", id="accents"),
        pytest.param(b"caf\xe9.jpg".decode("utf-8", "surrogateescape"), r"caf\xe9.jpg", id="Latin-1"),
        pytest.param("写".encode("shift_jis").decode("utf-8", "surrogateescape"), r"\x8e\xca", id="Shift-JIS"),
        pytest.param("a\x1b[31mred.jpg", r"a\x1b[31mred.jpg", id="a terminal's orders"),
        pytest.param("a\nb\r\t.jpg", r"a\nb\r\t.jpg", id="line ends and tabs"),
        pytest.param("\x7f\x9b", r"\x7f\x9b", id="other control characters"),
        pytest.param("gpj\u202e.exe", r"gpj\u202e.exe", id="a mark that turns the text round"),
        pytest.param("\ud800", r"\ud800", id="half a character"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_what_no_terminal_should_see_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert json.loads(json.dumps(shown).encode()) == shown
    assert printable(shown) == shown


def test_the_message_of_an_error_can_be_shown() -> None:
    error = UsageError(INPUT_REJECTED, "\x1b[2J\udce9 is no photo")
    assert error.message == r"\x1b[2J\xe9 is no photo"
    assert str(error) == r"InputRejected: \x1b[2J\xe9 is no photo"
