"""What an example's README says: commands to run, what the last one of a block shows, how the local cluster is started."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

REFUSED = "# refused"
"""Ends the line of a command that must fail: its refusal is the point."""

ANYTHING = "…"
"""Stands for any text of a line in what is shown; alone on its line, for any lines or none."""

CHANGING = (
    ANYTHING,
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    r"\d\d:\d\d:\d\d",
    r"\d+(?:\.\d+)?(?= s\b)",
    r"\b(?:\d+[smh])+\b",
)
"""Besides that: times, ages and measured seconds stand for any of their kind. Other numbers are exact."""


@dataclass(frozen=True)
class Command:
    """A line of a console block."""

    line: str
    shows: str | None = None
    """What it prints, where the README says so: a `text` block after it."""

    @property
    def arguments(self) -> list[str]:
        """The words of the line."""
        return shlex.split(self.line, comments=True)

    @property
    def refused(self) -> bool:
        """Whether it must fail."""
        return self.line.endswith(REFUSED)


def commands(readme: Path) -> list[Command]:
    """Return the commands that a reader runs once the local cluster is up."""
    return [command for command in _all_commands(readme) if not _is_make(command.line)]


def settings(readme: Path) -> dict[str, str]:
    """Return the environment with which the README starts the local cluster, `NAME=value make up`."""
    lines = [command.line for command in _all_commands(readme) if command.line.endswith("make up")]
    return dict(word.split("=", 1) for line in lines for word in shlex.split(line) if "=" in word)


def manifests(example: Path) -> list[dict[str, Any]]:
    """Return every manifest of the example's folder."""
    files = sorted(example.glob("*.yaml"))
    return [document for file in files for document in yaml.safe_load_all(file.read_text())]


def matches(shown: str, printed: str) -> bool:
    """Say whether a command printed what the README shows; widths of columns don't matter."""
    pattern = "".join(map(_pattern, _squeezed(shown)))
    return re.fullmatch(pattern, "".join(_squeezed(printed))) is not None


def _all_commands(readme: Path) -> Iterator[Command]:
    blocks = re.findall(
        r"^```console\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", readme.read_text(), re.MULTILINE | re.DOTALL
    )
    for block, shown in blocks:
        *others, last = [line for line in block.splitlines() if line.strip()]
        yield from map(Command, others)
        yield Command(last, shown or None)


def _is_make(line: str) -> bool:
    return re.search(r"(^| )make (up|down)$", line) is not None


def _squeezed(text: str) -> list[str]:
    """Return the lines that are not empty, with single spaces."""
    return [f"{' '.join(line.split())}\n" for line in text.splitlines() if line.strip()]


def _pattern(line: str) -> str:
    if line.strip() == ANYTHING:
        return r"(?:.*\n)*?"
    pattern, at = "", 0
    for found in re.finditer("|".join(f"({kind})" for kind in CHANGING), line):
        kind = CHANGING[(found.lastindex or 1) - 1]
        pattern += re.escape(line[at : found.start()]) + (".*" if kind == ANYTHING else kind)
        at = found.end()
    return pattern + re.escape(line[at:])
