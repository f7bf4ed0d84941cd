"""What the checks read: the Python files that git does not ignore, as syntax trees."""

import ast
import subprocess
from functools import cache
from pathlib import Path

from recon_dev.state import CHECKOUT


def python_files(*folders: str) -> list[Path]:
    """Return the checkout's Python files in these folders, all where none is named."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--"]
    patterns = [f"{folder}/*.py" for folder in folders] or ["*.py"]
    listed = subprocess.run([*command, *patterns], capture_output=True, text=True, check=True, cwd=CHECKOUT).stdout
    return [file for line in listed.splitlines() if (file := CHECKOUT / line).exists()]


@cache
def tree_of(file: Path) -> ast.Module:
    """Return the file's syntax tree."""
    return ast.parse(file.read_text(), str(file))


def shown(file: Path) -> Path:
    """Return a file as findings name it: by its path in the checkout."""
    return file.relative_to(CHECKOUT) if file.is_relative_to(CHECKOUT) else file


def report(findings: list[str]) -> int:
    """Print a line for each finding; return the exit status."""
    print("\n".join(findings), end="\n" if findings else "")
    return 1 if findings else 0
