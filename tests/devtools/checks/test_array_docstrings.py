"""The check of arrays' docstrings: what it finds, and what it lets pass."""

import ast
from pathlib import Path

import pytest

from recon_dev.checks.array_docstrings import check

HEADER = "import numpy.typing as npt\nFloats = npt.NDArray[float]\nPair = tuple[Floats, Floats]\n"


def function(docstring: str, annotation: str = "Floats") -> str:
    """A module with one function that takes an array, or something else."""
    return f'def f(x: {annotation}) -> None:\n    """{docstring}"""\n'


def field(docstring: str) -> str:
    """A module with one class that holds an array."""
    return f"class Holder:\n    x: Floats\n    {docstring}\n"


@pytest.mark.parametrize(
    "docstring",
    ["Take (n, 3).", "Take (3,).", "Take (h, w, 3).", "Take (..., 3).", "Take (2 * n + 1, CELLS).", "Take (h', 4)."],
)
def test_a_shape_is_recognised(docstring: str) -> None:
    assert found(function(docstring)) == []


@pytest.mark.parametrize(
    "docstring",
    [
        pytest.param("Take points.", id="none"),
        pytest.param("Take points, n x 3.", id="another form"),
        pytest.param("Take points (see below).", id="words in brackets"),
        pytest.param("Take a box (left, top, right, bottom).", id="several words in brackets"),
        pytest.param("After Umeyama (IEEE TPAMI, 1991).", id="a source"),
    ],
)
def test_a_docstring_without_a_shape_is_refused(docstring: str) -> None:
    assert found(function(docstring)) == ["module.py:4: the docstring of f says no shape, such as (n, 3)"]


@pytest.mark.parametrize(
    "annotation", ["Floats", "Pair", "torch.Tensor", "list[np.ndarray]", "npt.NDArray[int] | None"]
)
def test_a_type_is_an_array_by_any_of_its_names(annotation: str) -> None:
    assert len(found(function("Take it.", annotation))) == 1


def test_what_takes_no_array_needs_no_shape() -> None:
    assert found(function("Take it.", "int")) == []


def test_what_returns_arrays_is_held_too() -> None:
    assert len(found('async def f() -> Pair:\n    """Return both."""\n')) == 1


def test_a_field_needs_a_docstring_of_its_own() -> None:
    assert found(field('"""(n, 3)."""')) == []
    assert len(found(field('"""Points."""'))) == 1
    assert len(found(field("y: int"))) == 1
    assert len(found("class Holder:\n    x: Floats\n")) == 1


def found(source: str) -> list[str]:
    """What the check says of a module."""
    return check({Path("module.py"): ast.parse(HEADER + source)})
