"""The check of sizes, at its limits."""

from pathlib import Path

import pytest

from recon_dev.checks.sizes import FILE_LINES, FUNCTION_LINES, findings


def function_of(lines: int) -> str:
    return "def long():\n" + "    pass\n" * (lines - 1)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("", [], id="an empty file is fine"),
        pytest.param("x = 1\n" * FILE_LINES, [], id="a file may have 500 lines"),
        pytest.param("x = 1\n" * (FILE_LINES + 1), [": 501 lines"], id="one more is refused"),
        pytest.param(function_of(FUNCTION_LINES), [], id="a function may have 60 lines"),
        pytest.param(function_of(FUNCTION_LINES + 1), [":1: long has 61 lines"], id="one more line is refused"),
        pytest.param("async " + function_of(61), [":1: long has 61 lines"], id="an asynchronous one too"),
        pytest.param(
            "class Wide:\n" + "".join(f"    def f{n}(self):\n        pass\n" for n in range(100)),
            [],
            id="a class of short functions may be long",
        ),
    ],
)
def test_findings(tmp_path: Path, source: str, expected: list[str]) -> None:
    file = tmp_path / "module.py"
    file.write_text(source)
    found = list(findings(file))
    assert [line.removeprefix(str(file)).partition(", at most")[0] for line in found] == expected
