"""What a child process gets from the worker's main process: environment variables, which a spawned interpreter inherits."""

import os
from pathlib import Path

BOOT_ID_VARIABLE = "RECONSTRUCTION_BOOT_ID"
"""The start of the worker that the child belongs to."""

RUN_DIR_VARIABLE = "RECONSTRUCTION_RUN_DIR"
"""The folder that the main process watches (`recon_worker.attempt.running_attempt`)."""


def boot_id() -> str:
    """Return the boot id of the worker, empty in a process that no main process started."""
    return os.environ.get(BOOT_ID_VARIABLE, "")


def run_dir() -> Path | None:
    """Return the folder that the main process watches, None in a process that no main process started."""
    folder = os.environ.get(RUN_DIR_VARIABLE)
    return Path(folder) if folder else None
