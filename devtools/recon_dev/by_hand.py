"""What to set in a shell to run a part by hand that `recon-dev up --without` has left out."""

import os
import shlex

from recon_dev.errors import DevError
from recon_dev.operator_process import operator
from recon_dev.processes import Component
from recon_dev.state import Settings, StateDir
from recon_dev.status import SupervisorLock
from recon_dev.worker_process import worker

PARTS = {"operator": "recon_operator", "worker": "recon_worker worker"}
"""What can be run by hand, and its module's command line."""


LEFT_OUT_AS = {"operator": "operator", "worker": "workers"}
"""Names of the same for `--without`."""


def exports(state: StateDir, part: str) -> str:
    """Return shell lines that set what the part's process would be given. Raises DevError where the cluster is down."""
    if not SupervisorLock(state).held():
        raise DevError(f"the cluster is down\nStart it: .venv/bin/recon-dev up --detach --without {LEFT_OUT_AS[part]}")
    component = _component(part, state, state.read_settings())
    component.prepare()
    changed = {name: value for name, value in component.env.items() if os.environ.get(name) != value}
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(changed.items())]
    return "\n".join([*lines, f"# then: python -m {PARTS[part]}"])


def _component(part: str, state: StateDir, settings: Settings) -> Component:
    return operator(state, settings) if part == "operator" else worker(state, settings)
