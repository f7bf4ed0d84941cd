"""Refuse reasons that the reference documents and no code of operator or worker gives."""

import ast
import sys
from collections.abc import Collection, Iterable, Iterator

from recon_api import reasons
from recon_api.reasons import Reason
from recon_dev.checks.source import python_files, report, tree_of

GIVEN_ELSEWHERE = {
    "WEIGHTS_NOT_FOUND": "models of others give it, as docs/how-to/write-a-model.md says; no built-in model has weights",
}
"""Constants that no code here gives, and why they are documented all the same."""


def given_by(tree: ast.AST) -> Iterator[str]:
    """Yield the names that code reads for another purpose than to compare something with them."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.Compare | ast.Set | ast.SetComp):
            continue  # what a reason is compared with, or a set that it is looked for in, gives it to nobody
        if isinstance(child, ast.Attribute):
            yield child.attr
        elif isinstance(child, ast.Name):
            yield child.id
        yield from given_by(child)


def findings(documented: Iterable[str], trees: Iterable[ast.AST], elsewhere: Collection[str] = ()) -> list[str]:
    """Return a line for each constant that nothing gives as a reason, and for each exception that is none."""
    given = {name for tree in trees for name in given_by(tree)}
    never = [name for name in documented if name not in given and name not in elsewhere]
    return [
        *(f"reasons.{name}: documented, but no code of operator or worker gives it" for name in never),
        *(f"reasons.{name}: listed as given elsewhere, but it is given here" for name in elsewhere if name in given),
    ]


def documented_reasons() -> list[str]:
    """Return the names of the constants that the reference is generated from."""
    return [name for name, value in vars(reasons).items() if isinstance(value, Reason)]


def main() -> int:
    """Check all reasons; return the exit status."""
    trees = map(tree_of, python_files("operator", "worker"))
    return report(findings(documented_reasons(), trees, GIVEN_ELSEWHERE))


if __name__ == "__main__":
    sys.exit(main())
