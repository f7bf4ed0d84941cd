"""What `recon-dev status` and `recon-dev logs` print."""

from rich.table import Table

from recon_dev.console import console, say
from recon_dev.errors import DevError
from recon_dev.lifecycle import describe
from recon_dev.state import StateDir
from recon_dev.status import ClusterStatus, ComponentState, SupervisorLock

LAST_LINES = 10
STYLES = {ComponentState.READY: "green", ComponentState.BACKING_OFF: "red", ComponentState.STARTING: "yellow"}


def show_status(state: StateDir) -> bool:
    """Print what runs and where it is; return whether all is ready."""
    status = ClusterStatus.load(state) if SupervisorLock(state).held() else ClusterStatus()
    if not status.components:
        say("Nothing is running; .venv/bin/recon-dev up starts it.")
        return False
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0))
    for heading in ("COMPONENT", "STATE", "PID", "RESTARTS"):
        table.add_column(heading)
    for each in status.components:
        table.add_row(
            each.name, each.state.value, str(each.pid or ""), str(each.restarts), style=STYLES.get(each.state)
        )
    console.print(table)
    say(describe(state))
    return status.ready


def show_logs(state: StateDir, component: str | None) -> None:
    """Print one component's whole log, or the end of every one. Raises DevError where there is none."""
    logs = {log.stem: log for log in sorted(state.logs.glob("*.log"))}
    if component and component not in logs:
        raise DevError(f"no log of {component!r}; there are: {', '.join(logs) or 'none'}")
    if component:
        say(logs[component].read_text(errors="replace").rstrip())
        return
    for name, log in logs.items():
        lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
        say("\n".join([f"==> {name} ({log})", *lines, ""]))
