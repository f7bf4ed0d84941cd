"""What runs in a local cluster: written by its supervisor, read by everybody else."""

import fcntl
import os
from enum import StrEnum
from typing import TextIO

from pydantic import BaseModel, ConfigDict

from recon_dev.errors import DevError
from recon_dev.processes import ProcessIdentity
from recon_dev.state import StateDir, write_private


class ComponentState(StrEnum):
    """Where a component is in its life."""

    STARTING = "starting"
    READY = "ready"
    BACKING_OFF = "backing off"
    """It died and is started again after a while."""
    STOPPED = "stopped"


class ComponentStatus(BaseModel):
    """One component as its supervisor sees it."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: ComponentState
    pid: int | None = None
    restarts: int = 0


class ClusterStatus(BaseModel):
    """The whole local cluster."""

    model_config = ConfigDict(frozen=True)

    components: tuple[ComponentStatus, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether all components serve."""
        return bool(self.components) and all(c.state is ComponentState.READY for c in self.components)

    def save(self, state: StateDir) -> None:
        """Write the status for others."""
        write_private(state.status, self.model_dump_json(indent=1))

    @classmethod
    def load(cls, state: StateDir) -> "ClusterStatus":
        """Read the status; empty where nothing runs."""
        try:
            return cls.model_validate_json(state.status.read_text())
        except FileNotFoundError:
            return cls()


class SupervisorLock:
    """Held by the one supervisor of a state folder for as long as it lives; the kernel lets go of it whatever happens."""

    def __init__(self, state: StateDir) -> None:
        """Name the lock; nothing is locked yet."""
        self._path = state.lock
        self._file: TextIO | None = None

    def acquire(self) -> None:
        """Take the lock and say who holds it; raise DevError where another supervisor does."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = self._path.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise DevError("another recon-dev has just started this cluster") from None
        file.truncate(0)
        file.write(ProcessIdentity.of(os.getpid()).model_dump_json())
        file.flush()
        self._file = file

    def release(self) -> None:
        """Let go of the lock."""
        if self._file:
            self._file.close()
            self._file = None

    def held(self) -> bool:
        """Say whether a supervisor holds the lock."""
        try:
            with self._path.open("r") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def holder(self) -> ProcessIdentity | None:
        """Return the supervisor that holds the lock, once it has said who it is."""
        try:
            return ProcessIdentity.model_validate_json(self._path.read_text()) if self.held() else None
        except ValueError:
            return None
