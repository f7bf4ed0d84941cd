"""How often each stage looks whether it must stop: the longest time between two looks, and where that was.

    python -m benchmarks.looks PHOTOS --quality standard --work DIR

Finished steps in DIR are not run again. Time is the thread's own CPU time, which other work on the machine does not
lengthen; waiting for a tool process costs none, and a tool is killed wherever it is.
"""

import argparse
import inspect
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

import recon_worker
from recon_api.steps import Step
from recon_worker.cli.local import reconstruct_here
from recon_worker.progress import SilentSink
from recon_worker.settings import worker_settings

PACKAGE = str(Path(recon_worker.__file__).parent)
NOT_A_PLACE = frozenset({"progress", "checked_file", "parallel", "background"})
"""Modules through which others look."""

SHOWN = 3
"""Gaps of each step that are shown."""


@dataclass(frozen=True, order=True)
class Gap:
    """Time without a look."""

    cpu_s: float
    wall_s: float
    step: str
    places: str
    """The two lines between which it lies."""


@dataclass(frozen=True)
class Look:
    """A look of one thread."""

    cpu_s: float
    wall_s: float
    place: str


@dataclass
class Looks(SilentSink):
    """A `ProgressSink` that never stops the work and remembers how long it was not asked."""

    gaps: list[Gap] = field(default_factory=list)
    count: int = 0
    _step: str = ""
    _last: WeakKeyDictionary[threading.Thread, Look] = field(default_factory=WeakKeyDictionary)

    def show(self, step: Step, _: float) -> None:
        """Take note of the step."""
        self._step = step

    def raise_if_stopped(self) -> None:
        """Take note of the time since this thread's last look."""
        look, thread = Look(time.thread_time(), time.perf_counter(), _place()), threading.current_thread()
        if (before := self._last.get(thread)) is not None:
            gap_s = look.cpu_s - before.cpu_s
            self.gaps.append(Gap(gap_s, look.wall_s - before.wall_s, self._step, f"{before.place} to {look.place}"))
        self._last[thread] = look
        self.count += 1


def main() -> int:
    """Reconstruct, and print the longest gaps of each step."""
    options = _arguments()
    looks = Looks()
    with tempfile.TemporaryDirectory(prefix="recon-looks-") as folder:
        work = options.work or Path(folder) / "work"
        asked = {"quality": options.quality, "formats": ["glb", "obj", "ply"]}
        reconstruct_here(options.photos, Path(folder) / "out", "multiview", asked, work, looks, worker_settings())
    print(f"{looks.count} looks\n{'CPU s':>7} {'wall s':>7}  step")
    for gap in longest(looks.gaps):
        print(f"{gap.cpu_s:7.3f} {gap.wall_s:7.3f}  {gap.step}: {gap.places}")
    return 0


def longest(gaps: list[Gap]) -> Iterator[Gap]:
    """Return the longest gaps of each step, in the order of the steps."""
    for step in Step:
        yield from sorted((gap for gap in gaps if gap.step == step), reverse=True)[:SHOWN]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("photos", help="a folder or an archive of photos")
    parser.add_argument("--quality", default="standard", help="default: %(default)s")
    parser.add_argument("--work", type=Path, help="folder of finished steps, which is kept")
    return parser.parse_args()


def _place() -> str:
    """Return the innermost line of the worker's code that looks."""
    frame = inspect.currentframe()
    while frame is not None:
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(PACKAGE) and path.stem not in NOT_A_PLACE:
            return f"{path.stem}:{frame.f_lineno}"
        frame = frame.f_back
    return "?"


if __name__ == "__main__":
    sys.exit(main())
