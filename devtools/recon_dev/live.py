"""Run a command of an image on code that can be changed while it runs: `skaffold dev` copies changed files to LIVE.

It is in the images' `-live` targets only, alone: it imports nothing but the standard library. The image's own code is
read-only and belongs to root; what runs is a copy below /tmp, and every change there starts the command anew.
"""

import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

LIVE = Path("/tmp/live")  # noqa: S108 - the one folder of a container that can be written; skaffold.yaml names it
POLL_S = 0.5
"""Between two looks at the files' times; a person who saved one does not notice it."""


def main(command: Sequence[str] | None = None, live: Path = LIVE) -> int:
    """Run a command, and again after each change of the code, until it ends by itself or is told to stop."""
    command = command or sys.argv[1:]
    _copy_code(live)
    signal.signal(signal.SIGTERM, _stop)
    seen = _times(live)
    process = _start(command, live)
    try:
        while (code := process.poll()) is None:
            time.sleep(POLL_S)
            if (now := _times(live)) != seen:
                seen = now
                print("the code has changed: starting again", file=sys.stderr, flush=True)
                _end(process)
                process = _start(command, live)
    finally:
        _end(process)
    return code


def _copy_code(live: Path) -> None:
    for package in Path(sysconfig.get_path("purelib")).glob("recon_*"):
        shutil.copytree(package, live / package.name, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))


def _times(live: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in live.rglob("*.py")}


def _start(command: Sequence[str], live: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(live)})


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
    process.wait()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    sys.exit(0)


if __name__ == "__main__":
    sys.exit(main())
