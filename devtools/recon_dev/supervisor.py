"""Starts components in order, starts those again that die, and stops all in reverse order."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recon_dev.errors import DevError
from recon_dev.processes import Component, RunningProcess, describe_exit
from recon_dev.state import StateDir
from recon_dev.status import ClusterStatus, ComponentState, ComponentStatus

FIRST_BACKOFF_S = 0.5
LONGEST_BACKOFF_S = 30.0
STEADY_AFTER_S = 60.0
"""A component that ran for so long starts with the first backoff again."""
TICK_S = 0.1

Report = Callable[[str], None]
"""Takes a line for a person."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a component is started again, doubled each time, like kubelet's."""

    restarts: int = 0

    @property
    def delay_s(self) -> float:
        """Seconds to wait."""
        return float(min(FIRST_BACKOFF_S * 2**self.restarts, LONGEST_BACKOFF_S))

    def after_run_of(self, seconds: float) -> "Backoff":
        """Return the backoff after a run of that length ended."""
        return Backoff() if seconds >= STEADY_AFTER_S else Backoff(min(self.restarts + 1, 16))


class Supervised:
    """One component over all of its processes."""

    def __init__(self, component: Component, state: StateDir, report: Report) -> None:
        """Watch over a component; nothing is started yet."""
        self.component, self._state, self._report = component, state, report
        self._process: RunningProcess | None = None
        self._backoff, self._start_again_at = Backoff(), 0.0
        self.restarts = 0
        self.phase = ComponentState.STOPPED

    @property
    def status(self) -> ComponentStatus:
        """The component as others see it."""
        pid = self._process.pid if self._process else None
        return ComponentStatus(name=self.component.name, state=self.phase, pid=pid, restarts=self.restarts)

    def start(self, check: Callable[[], None]) -> None:
        """Start the component; where it is awaited, wait until it is ready, with `check` all the while. Raises DevError."""
        process = self._start()
        if self.component.awaited:
            process.wait_ready(check)
            self._note_ready(process)

    def tick(self) -> None:
        """Look at the process once and do what is due. Never raises DevError: trouble is reported and tried again."""
        try:
            if self._process is None:
                self._start_when_due()
            elif (code := self._process.exit_code()) is not None:
                self._note_death(f"{self.component.name} ended with {describe_exit(code)}")
            elif self.phase is ComponentState.STARTING:
                self._note_ready_or_late(self._process)
        except DevError as error:
            if self._process:
                self._process.kill()
            self._note_death(str(error).splitlines()[0])

    def stop(self) -> None:
        """Stop the process, where there is one."""
        if self._process:
            self._process.stop()
            self._process = None
        self.phase = ComponentState.STOPPED

    def _start(self) -> RunningProcess:
        name = self.component.name
        self.phase = ComponentState.STARTING
        process = RunningProcess(self.component, log=self._state.log(name), record=self._state.run / f"{name}.json")
        self._process = process
        return process

    def _start_when_due(self) -> None:
        if self.phase is ComponentState.BACKING_OFF and time.monotonic() >= self._start_again_at:
            self.restarts += 1
            self._start()

    def _note_ready_or_late(self, process: RunningProcess) -> None:
        if self.component.ready():
            self._note_ready(process)
        elif time.monotonic() - process.started_at > self.component.ready_within_s:
            raise DevError(f"{self.component.name} was not ready after {self.component.ready_within_s:.0f} s")

    def _note_ready(self, process: RunningProcess) -> None:
        self.component.when_ready()
        self.phase = ComponentState.READY
        self._report(f"{self.component.name:<23} ready in {time.monotonic() - process.started_at:4.1f} s")

    def _note_death(self, what: str) -> None:
        ran = time.monotonic() - self._process.started_at if self._process else 0.0
        delay = self._backoff.delay_s
        self._backoff = self._backoff.after_run_of(ran)
        self._process, self.phase = None, ComponentState.BACKING_OFF
        self._start_again_at = time.monotonic() + delay
        self._report(f"{what}; starting it again in {delay:.1f} s (log: {self._state.log(self.component.name)})")


class Supervisor:
    """All components of a local cluster."""

    def __init__(self, components: Sequence[Component], state: StateDir, report: Report) -> None:
        """Watch over these components, which are started in this order."""
        self._all = [Supervised(component, state, report) for component in components]
        self._state, self._report = state, report
        self._saved: ClusterStatus | None = None

    def up(self, check: Callable[[], None]) -> None:
        """Start all; `check` runs all the while and may raise to give up. Whatever is raised, all is stopped again first."""

        def check_all() -> None:
            check()
            for supervised in self._all:
                if not supervised.component.awaited:
                    supervised.tick()
            self._save()

        try:
            for supervised in self._all:
                supervised.start(check_all)
                self._save()
        except BaseException:
            self.down()
            raise

    def watch(self, stopping: Callable[[], bool]) -> None:
        """Start again what dies, until `stopping` says so."""
        while not stopping():
            for supervised in self._all:
                supervised.tick()
            self._save()
            time.sleep(TICK_S)

    def down(self) -> None:
        """Stop all, in reverse order."""
        for supervised in reversed(self._all):
            if supervised.phase is not ComponentState.STOPPED:
                self._report(f"stopping {supervised.component.name}")
            supervised.stop()
            self._save()
        self._state.status.unlink(missing_ok=True)

    def _save(self) -> None:
        status = ClusterStatus(components=tuple(s.status for s in self._all))
        if status != self._saved:
            status.save(self._state)
            self._saved = status
