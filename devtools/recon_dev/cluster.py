"""What a local cluster consists of, in the order in which it is started."""

from typing import TYPE_CHECKING

from recon_dev.binaries import Binaries
from recon_dev.control_plane import control_plane
from recon_dev.operator_process import operator
from recon_dev.processes import Component
from recon_dev.state import Settings, StateDir
from recon_dev.valkey import valkey
from recon_dev.worker_process import worker

if TYPE_CHECKING:
    from recon_dev.lifecycle import Options

OPTIONAL_PARTS = ("valkey", "operator", "workers")
"""What `--without` can leave out, to run it by hand."""


def components(state: StateDir, settings: Settings, binaries: Binaries, options: "Options") -> list[Component]:
    """Return the components to start."""
    parts = control_plane(state, settings, binaries, durable=options.durable)
    if "valkey" not in options.without:
        parts.append(valkey(state, settings, binaries))
    if "operator" not in options.without:
        parts.append(operator(state, settings))
    if "workers" not in options.without:
        parts.extend(worker(state, settings, number) for number in range(options.workers))
    return parts
