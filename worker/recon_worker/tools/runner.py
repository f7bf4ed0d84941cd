"""Running a tool (`recon_worker.tools`) in a process of its own that can be stopped within milliseconds.

The tool runs in a process group of its own, with all that it starts. The group is killed as a whole when the work must
stop, and when the process that waits for it dies, however it dies: a shell that leads the group waits for that.

A tool writes JSON lines: `{"fraction": 0.5}`, `{"metric": [name, value]}`, and at its end `{"report": {...}}` or
`{"error": {"kind", "reason", "message"}}`.
"""

import contextlib
import json
import logging
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from recon_api import reasons
from recon_api.errors import FatalError, JobCancelled, ReconstructionError, TransientError, UsageError
from recon_worker.progress import Progress
from recon_worker.tools.tool import PARENT_VARIABLE

CHECK_INTERVAL_S = 0.05
"""How often a running tool's job is looked at for an order to stop."""

STDERR_LINES = 5
"""How many of the last lines of a crashed tool's stderr its error quotes."""

_CHUNK_BYTES = 65536
_KINDS = {kind.__name__: kind for kind in (UsageError, TransientError, FatalError, JobCancelled)}

logger = logging.getLogger(__name__)


def run_tool(name: str, request: BaseModel, folder: Path, progress: Progress) -> Mapping[str, Any]:
    """Run `python -m recon_worker.tools.<name> REQUEST.json` and return its report.

    The request and the tool's stderr stay in `folder` as hidden files (`.<name>.json`, `.<name>.log`). The tool's
    fractions tick `progress`.

    Raises what the tool raised; `JobCancelled` within `CHECK_INTERVAL_S` of the order to stop, the tool then being dead;
    `TransientError(OUT_OF_MEMORY)` where something else killed it; `FatalError(RECONSTRUCTION_FAILED)` where it crashed.
    """
    request_file, log_file = folder / f".{name}.json", folder / f".{name}.log"
    request_file.write_text(request.model_dump_json(indent=1))
    with log_file.open("wb") as log, _started(name, request_file, log.fileno()) as process:
        ending = _follow(process, progress)
    _log_stderr(name, log_file)
    if ending is None or process.returncode != 0:
        raise _crash(name, process.returncode, log_file)
    if "error" in ending:
        raise _error_of(ending["error"])
    report: Mapping[str, Any] = ending["report"]
    return report


@contextlib.contextmanager
def _started(name: str, request_file: Path, stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    """Start the tool; kill what is left of its process group at the end, whatever the end is."""
    with _guarded_group() as group:
        process = subprocess.Popen(
            [sys.executable, "-m", f"recon_worker.tools.{name}", str(request_file)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            process_group=group,
            env=os.environ | {PARENT_VARIABLE: str(os.getpid())},
        )
        try:
            yield process
        finally:
            _kill_group(group)
            process.wait()
            if process.stdout:
                process.stdout.close()


@contextlib.contextmanager
def _guarded_group() -> Iterator[int]:
    """Yield a process group that is killed at the end of the block, and with this process, at once and for certain."""
    # Only this process holds the pipe's other end: it closes with the process.
    guard = subprocess.Popen(
        ["/bin/sh", "-c", "read -r _; kill -9 0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        yield guard.pid
    finally:
        _kill_group(guard.pid)
        guard.communicate()


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def _follow(process: subprocess.Popen[bytes], progress: Progress) -> Mapping[str, Any] | None:
    """Pass the tool's lines on until it ends; return its last word, None where it had none."""
    ending: Mapping[str, Any] | None = None
    for line in _lines(process, progress):
        message = json.loads(line)
        if "fraction" in message:
            progress.tick(message["fraction"])
        elif "metric" in message:
            progress.metric(*message["metric"])
        else:
            ending = message
    while process.poll() is None:
        progress.check_cancelled()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(CHECK_INTERVAL_S)
    return ending


def _lines(process: subprocess.Popen[bytes], progress: Progress) -> Iterator[bytes]:
    """Yield whole lines of the tool's stdout until it is closed or the tool is gone, checking for the order to stop."""
    if process.stdout is None:  # it is a pipe: see _started
        raise AssertionError
    descriptor, rest = process.stdout.fileno(), b""
    while True:
        progress.check_cancelled()
        readable, _, _ = select.select([descriptor], [], [], CHECK_INTERVAL_S)
        if not readable:
            if process.poll() is not None:  # a process that it left behind holds the pipe
                return
            continue
        chunk = os.read(descriptor, _CHUNK_BYTES)
        if not chunk:
            return
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole


def _error_of(error: Mapping[str, str]) -> ReconstructionError:
    return _KINDS[error["kind"]](reasons.reason_of(error["reason"]), error["message"])


def _crash(name: str, returncode: int, log_file: Path) -> ReconstructionError:
    if returncode == -signal.SIGKILL:
        return TransientError(
            reasons.OUT_OF_MEMORY,
            f"{name} was killed by the system, most likely for its use of memory; "
            "a smaller maxImageSize or a lower quality needs less",
        )
    how = f"was ended by {signal.Signals(-returncode).name}" if returncode < 0 else f"exited with {returncode}"
    last = " | ".join(_read(log_file).strip().splitlines()[-STDERR_LINES:])
    return FatalError(reasons.RECONSTRUCTION_FAILED, f"{name} {how}" + (f": {last}" if last else ""))


def _log_stderr(name: str, log_file: Path) -> None:
    if logger.isEnabledFor(logging.DEBUG) and (text := _read(log_file)):
        logger.debug("%s: %s", name, text)


def _read(log_file: Path) -> str:
    return log_file.read_text(errors="replace")
