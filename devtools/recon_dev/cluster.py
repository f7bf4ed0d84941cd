"""What a local cluster consists of, in the order in which it is started."""

from dataclasses import dataclass

from recon_dev.binaries import Binaries
from recon_dev.control_plane import control_plane
from recon_dev.controller_manager import controller_manager
from recon_dev.operator_process import operator
from recon_dev.processes import Component
from recon_dev.state import Settings, StateDir
from recon_dev.valkey import valkey
from recon_dev.worker_process import worker

OPTIONAL_PARTS = ("valkey", "operator", "workers")
"""What `--without` can leave out, to run it by hand."""


@dataclass(frozen=True)
class Options:
    """What to bring up."""

    workers: int = 1
    without: frozenset[str] = frozenset()
    """Names of `OPTIONAL_PARTS` to leave out."""
    parent_pid: int | None = None
    """The cluster goes down when this process is gone."""
    durable: bool = True
    audit: bool = False
    """Have the API server note each request of the operator's account (`StateDir.audit_log`)."""

    def arguments(self) -> list[str]:
        """Return the same as arguments of `recon-dev supervise`."""
        parts = [f"--without={name}" for name in OPTIONAL_PARTS if name in self.without]
        parent = [] if self.parent_pid is None else [f"--parent-pid={self.parent_pid}"]
        flags = [*([] if self.durable else ["--fast"]), *(["--audit"] if self.audit else [])]
        return [f"--workers={self.workers}", *parts, *parent, *flags]


def components(state: StateDir, settings: Settings, binaries: Binaries, options: Options) -> list[Component]:
    """Return the components to start."""
    parts = control_plane(state, settings, binaries, durable=options.durable, audit=options.audit)
    if binaries.kube_controller_manager:
        parts.append(controller_manager(state, settings, binaries.kube_controller_manager))
    if "valkey" not in options.without:
        parts.append(valkey(state, settings, binaries))
    if "operator" not in options.without:
        parts.append(operator(state, settings))
    if "workers" not in options.without:
        parts.extend(worker(state, settings, number) for number in range(options.workers))
    return parts
