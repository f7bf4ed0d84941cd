"""Killing a process at a chosen change of a file, without a word of it in the code that is killed.

Python tells an audit hook about every file that is opened, renamed or removed, before it is. The hook ends the process
there, as SIGKILL, a power cut or the kernel's out-of-memory killer would.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CHANGES = ("os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.truncate")
FOR_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def change(event: str, arguments: tuple[Any, ...]) -> str:
    """Return the change that is about to be made, such as `os.rename attempt-1.tmp attempt-1`; empty where it is none."""
    if event == "open":
        path, _, flags = arguments
        return f"open {_last(path)}" if isinstance(flags, int) and flags & FOR_WRITING else ""
    return f"{event} {' '.join(_last(a) for a in arguments if isinstance(a, str | Path))}" if event in CHANGES else ""


def changes_of(work: Callable[[], object], notes: Path, die_at: int | None = None) -> list[str]:
    """Do the work in a child process that dies before its change number `die_at`; return the changes that it made."""
    child = os.fork()
    if child == 0:
        _work_and_die(work, notes, die_at)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == (0 if die_at is None else -signal.SIGKILL), notes.read_text()
    return notes.read_text().splitlines()


def _work_and_die(work: Callable[[], object], notes: Path, die_at: int | None) -> None:
    try:
        with notes.open("w", buffering=1) as made:
            count = 0

            def look(event: str, arguments: tuple[Any, ...]) -> None:
                nonlocal count
                if told := change(event, arguments):
                    if count == die_at:
                        os.kill(os.getpid(), signal.SIGKILL)
                    count += 1
                    made.write(f"{told}\n")

            sys.addaudithook(look)
            work()
    finally:
        os._exit(sys.exc_info()[0] is not None)


def _last(path: object) -> str:
    return Path(path).name if isinstance(path, str | Path) else str(path)


@dataclass(frozen=True)
class CrashPoint:
    """Where one of the processes dies that run with this point's environment; set, and set again, while they run."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Environment in which a Python process dies there, without knowing."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "sitecustomize.py").write_text(
            "from pathlib import Path\n"
            "from tests.support.crash_points import CrashPoint\n"
            f"CrashPoint(Path({str(self.folder)!r})).watch()\n"
        )
        paths = [str(self.folder), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
        return {"PYTHONPATH": os.pathsep.join(filter(None, paths))}

    @property
    def _point(self) -> Path:
        return self.folder / "point.json"

    @property
    def reached(self) -> bool:
        """Whether a process has died there."""
        return not self._point.exists()

    def set(self, prefix: str, *, with_parent: bool) -> None:
        """Have one process die before the first change that begins so, and its parent too."""
        written = self._point.with_suffix(".new")
        written.write_text(json.dumps([prefix, with_parent]))
        written.rename(self._point)

    def watch(self) -> None:
        """Have this process die there, if it is the first to come there."""

        def look(event: str, arguments: tuple[Any, ...]) -> None:
            if not (made := change(event, arguments)):
                return
            try:
                prefix, with_parent = json.loads(self._point.read_text())
                if not made.startswith(prefix):
                    return
                self._point.unlink()
            except FileNotFoundError:
                return
            for process in [os.getppid()] if with_parent else []:
                os.kill(process, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(look)
