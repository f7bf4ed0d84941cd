"""A tool's side of being run by `recon_worker.tools.runner`.

Nothing in here starts a process; a tool's module ends with

    if __name__ == "__main__":
        main(Request, run)
"""

import ctypes
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, NoReturn, TypeVar

from pydantic import BaseModel

from recon_api import reasons
from recon_api.errors import FatalError, ReconstructionError, TransientError

PARENT_VARIABLE = "RECONSTRUCTION_TOOL_PARENT"
"""Environment variable with the process id of whoever started the tool; the tool dies with it."""

REPORT_INTERVAL_S = 0.05
"""Fractions that follow each other faster are dropped; the parent looks no more often."""

_PR_SET_PDEATHSIG = 1

Request = TypeVar("Request", bound=BaseModel)

_lines: IO[str] = sys.stdout
_last_fraction_at = 0.0


def main(request_model: type[Request], run: Callable[[Request], Mapping[str, Any]]) -> NoReturn:
    """Run the tool on the request file named on the command line, and exit.

    What `run` returns is the tool's report. The errors of `recon_api.errors` reach the caller of the tool as they are;
    any other exception reaches it as a `FatalError`.
    """
    _die_with_parent()
    _keep_stdout_for_lines()
    try:
        request = request_model.model_validate_json(Path(sys.argv[1]).read_text())
        _write({"report": dict(run(request))})
    except ReconstructionError as error:
        _write_error(error)
    except MemoryError as error:
        _write_error(TransientError(reasons.OUT_OF_MEMORY, str(error) or "the tool ran out of memory"))
    except Exception as error:  # noqa: BLE001 - whatever a library raises, the caller has to read it
        traceback.print_exc()
        _write_error(FatalError(reasons.RECONSTRUCTION_FAILED, f"{type(error).__name__}: {error}"))
    sys.stderr.flush()
    # Not sys.exit: destructors of native libraries at exit have nothing left to do and can only hang or crash.
    os._exit(0)


def report_fraction(fraction: float) -> None:
    """Tell how much of the tool's work is done, 0 to 1. Cheap enough for every turn of a loop."""
    global _last_fraction_at  # noqa: PLW0603 - one process is one tool
    now = time.monotonic()
    if now - _last_fraction_at >= REPORT_INTERVAL_S:
        _last_fraction_at = now
        _write({"fraction": float(fraction)})


def report_metric(name: str, value: str) -> None:
    """Show a figure of the running job, such as the number of photos placed so far."""
    _write({"metric": [name, value]})


def _die_with_parent() -> None:
    """Have the kernel kill this process when the thread that started it ends; no effect when run by hand."""
    parent = os.environ.pop(PARENT_VARIABLE, None)
    if parent is None:
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it was gone before the line above
        os._exit(1)


def _keep_stdout_for_lines() -> None:
    """Send what native libraries print to stderr, so that stdout carries nothing but the tool's lines."""
    global _lines  # noqa: PLW0603 - one process is one tool
    _lines = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)


def _write(line: Mapping[str, Any]) -> None:
    _lines.write(json.dumps(line) + "\n")
    _lines.flush()


def _write_error(error: ReconstructionError) -> None:
    _write({"error": {"kind": type(error).__name__, "reason": error.reason.name, "message": error.message}})
