"""Refuse files and functions that have grown too long to read at once."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from recon_dev.checks.source import python_files, report, shown

FILE_LINES = 500
"""A file holds one concept; aim at 120 lines."""

FUNCTION_LINES = 60
"""From `def` to the last line, docstring included; aim at 8."""


def findings(path: Path) -> Iterator[str]:
    """Yield a line for the file, and for each function in it, that is too long."""
    source = path.read_text()
    if (lines := len(source.splitlines())) > FILE_LINES:
        yield f"{shown(path)}: {lines} lines, at most {FILE_LINES}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{shown(path)}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}"


def main() -> int:
    """Check every Python file that git does not ignore; return the exit status."""
    return report([finding for path in python_files() for finding in findings(path)])


if __name__ == "__main__":
    sys.exit(main())
