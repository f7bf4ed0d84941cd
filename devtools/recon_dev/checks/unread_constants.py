"""Refuse constants of modules that nothing reads.

Not here: reasons, which plug-ins raise and documents name (`recon_api.reasons`).
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from recon_dev.checks.source import python_files, report, shown, tree_of

CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]+")
EXEMPT = Path("crds/recon_api/reasons.py")


def check(trees: Mapping[Path, ast.Module]) -> list[str]:
    """Return a line for each constant that no module reads, by its own name or as an attribute of its module."""
    read = frozenset().union(*(_names_read(tree) for tree in trees.values()))
    return [
        f"{path}:{line}: nothing reads {name}"
        for path, tree in trees.items()
        if path != EXEMPT
        for line, name in _constants(tree)
        if name not in read
    ]


def _names_read(tree: ast.Module) -> frozenset[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)}
    return frozenset(names | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)})


def _constants(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for node in (inner for target in targets for inner in ast.walk(target)):
                if isinstance(node, ast.Name) and CONSTANT.fullmatch(node.id):
                    yield statement.lineno, node.id


def main() -> int:
    """Check every Python file that git does not ignore; return the exit status."""
    return report(check({shown(file): tree_of(file) for file in python_files()}))


if __name__ == "__main__":
    sys.exit(main())
