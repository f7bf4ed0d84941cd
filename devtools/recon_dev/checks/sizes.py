"""Refuse files and functions that have grown too long to read at once."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 500
"""A file holds one concept; aim at 120 lines."""

FUNCTION_LINES = 60
"""From `def` to the last line, docstring included; aim at 8."""


def findings(path: Path) -> Iterator[str]:
    """Yield a line for the file, and for each function in it, that is too long."""
    source = path.read_text()
    if (lines := len(source.splitlines())) > FILE_LINES:
        yield f"{path}: {lines} lines, at most {FILE_LINES}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno}: {node.name} has {length} lines, at most {FUNCTION_LINES}"


def main() -> int:
    """Check every Python file that git does not ignore; return the exit status."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [finding for path in map(Path, listed) if path.exists() for finding in findings(path)]
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
