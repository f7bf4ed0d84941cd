"""Refuse docstrings of functions and fields of arrays that say no shape: `(n, 3)`, `(h, w)`, `(2 * n, ...)`.

Which types are arrays is read from the annotations: numpy's, torch's, and every alias of those in the checked files.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from recon_dev.checks.source import python_files, report, shown, tree_of

ARRAY_TYPES = frozenset({"NDArray", "ndarray", "ArrayLike", "Tensor"})

AXIS = r"(?:\d+|[A-Za-z]'?|[A-Z][A-Z_]+|\.\.\.)"
"""A number, a letter with or without a prime, a constant, or any number of axes."""

LENGTH = rf"{AXIS}(?: [*+-] {AXIS})*"
SHAPE = re.compile(rf"\({LENGTH},(?: {LENGTH}(?:, {LENGTH})*)?\)")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def array_types(trees: Iterable[ast.Module]) -> frozenset[str]:
    """Return the names of array types, with the aliases that the modules define (`Floats = npt.NDArray[np.float32]`)."""
    defined = [node for tree in trees for node in tree.body if isinstance(node, ast.Assign)]
    found = ARRAY_TYPES
    while True:
        aliases = {
            target.id
            for node in defined
            if isinstance(node.value, ast.Attribute | ast.Subscript | ast.Name) and _names_in(node.value) & found
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        if aliases <= found:
            return found
        found |= aliases


def findings(tree: ast.Module, types: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield line and name of what takes, returns or holds arrays and has a docstring without a shape.

    A field must have a docstring; that a public function has one is ruff's to say.
    """
    for node in ast.walk(tree):
        if isinstance(node, Function):
            if _annotations(node) & types and _lacks_shape(ast.get_docstring(node)):
                yield node.lineno, node.name
        elif isinstance(node, ast.ClassDef):
            yield from _fields(node, types)


def _fields(node: ast.ClassDef, types: frozenset[str]) -> Iterator[tuple[int, str]]:
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if isinstance(field, ast.AnnAssign) and _names_in(field.annotation) & types:
            docstring = _text(after)
            if docstring is None or _lacks_shape(docstring):
                yield field.lineno, f"{node.name}.{ast.unparse(field.target)}"


def _lacks_shape(docstring: str | None) -> bool:
    return docstring is not None and not SHAPE.search(docstring)


def _text(node: ast.stmt | None) -> str | None:
    """Return the string that a statement is, or nothing."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


def _annotations(node: Function) -> frozenset[str]:
    """Return the names of the types that a function takes and returns."""
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    annotations = [*(argument.annotation for argument in arguments), node.returns]
    return frozenset().union(*(_names_in(annotation) for annotation in annotations if annotation))


def _names_in(node: ast.expr) -> frozenset[str]:
    names = (inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name))
    attributes = (inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute))
    return frozenset({*names, *attributes})


def check(trees: Mapping[Path, ast.Module]) -> list[str]:
    """Return a line for each finding in the modules."""
    types = array_types(trees.values())
    return [
        f"{path}:{line}: the docstring of {name} says no shape, such as (n, 3)"
        for path, tree in trees.items()
        for line, name in findings(tree, types)
    ]


def main() -> int:
    """Check the Python files of worker and devtools that git does not ignore; return the exit status."""
    return report(check({shown(file): tree_of(file) for file in python_files("worker", "devtools")}))


if __name__ == "__main__":
    sys.exit(main())
