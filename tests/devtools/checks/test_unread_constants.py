"""The check of constants that nothing reads."""

import ast
from pathlib import Path

import pytest

from recon_dev.checks.unread_constants import EXEMPT, check


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        pytest.param("", ["shape.py:1: nothing reads TOP_Z"], id="nothing reads it"),
        pytest.param(
            "TOP_Z = 3", ["shape.py:1: nothing reads TOP_Z", "other.py:1: nothing reads TOP_Z"], id="written twice"
        ),
        pytest.param("import shape\nprint(shape.TOP_Z)", [], id="read as its module's"),
        pytest.param("from shape import TOP_Z\nprint(TOP_Z)", [], id="read by its name"),
        pytest.param(
            "from shape import TOP_Z", ["shape.py:1: nothing reads TOP_Z"], id="an import alone reads nothing"
        ),
    ],
)
def test_a_constant_is_read_somewhere(other: str, expected: list[str]) -> None:
    modules = {Path("shape.py"): "TOP_Z: float = -0.42", Path("other.py"): other}
    assert check({path: ast.parse(source) for path, source in modules.items()}) == expected


def test_each_name_of_a_tuple_counts() -> None:
    assert check({Path("m.py"): ast.parse("A1, B2 = 1, 2\nprint(A1)")}) == ["m.py:1: nothing reads B2"]


def test_variables_and_reasons_are_not_meant() -> None:
    assert check({Path("m.py"): ast.parse("value = 1"), EXEMPT: ast.parse("LOST = 1")}) == []
