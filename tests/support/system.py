"""Redis, the operator and workers of one test, in its own namespace, each of which can be killed and started again."""

import os
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import redis
from kubernetes import client

from recon_api.resource import GROUP, PLURAL, VERSION
from recon_dev.binaries import find_binaries
from recon_dev.operator_process import operator
from recon_dev.processes import Component, RunningProcess
from recon_dev.state import StateDir
from recon_dev.valkey import STATE_DB, redis_url, valkey
from recon_dev.worker_process import worker
from tests.support.control_plane import ControlPlane
from tests.support.jobs import Job, Manifest
from tests.support.waiting import GENEROUS_S, wait_for

QUICK = {"LEASE_TTL_S": "8", "LEASE_BEAT_S": "1.5", "PROGRESS_INTERVAL_S": "1", "CANCELLATION_GRACE_S": "4"}
"""Settings of operator and workers: a lost worker is noticed and a hanging attempt killed sooner, progress comes more often."""

LOG_END_LINES = 15


class Part:
    """One component of a system, that the test can stop, kill and start."""

    def __init__(self, component: Component, state: StateDir) -> None:
        """Prepare; nothing is started."""
        self.component, self._state = component, state
        self._process: RunningProcess | None = None

    @property
    def log(self) -> Path:
        """File with its output, over all of its starts."""
        return self._state.log(self.component.name)

    @property
    def pid(self) -> int:
        """PID of the running process."""
        assert self._process
        return self._process.pid

    def start(self, *, wait: bool = True) -> "Part":
        """Start it, and wait until it is ready."""
        record = self._state.run / f"{self.component.name}.json"
        self._process = RunningProcess(self.component, log=self.log, record=record)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self) -> None:
        """Wait until it is ready."""
        assert self._process
        self._process.wait_ready()
        self.component.when_ready()

    def stop(self) -> None:
        """Stop it kindly."""
        if self._process:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """Kill the process, as kill -9 does, and what it leaves behind."""
        assert self._process
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process = None

    def runs(self) -> bool:
        """Say whether its process runs."""
        return self._process is not None and self._process.exit_code() is None

    def wait_exit(self, within_s: float = GENEROUS_S) -> int:
        """Wait until it ends by itself; return its exit code, negative for a signal."""
        process = self._process
        assert process
        wait_for(f"{self.component.name} ends", lambda: process.exit_code() is not None, within_s=within_s)
        code = process.exit_code()
        assert code is not None
        self._process = None
        return code

    def log_end(self) -> str:
        """Return the last lines of its log, and whether it runs."""
        last = self.log.read_text(errors="replace").splitlines()[-LOG_END_LINES:]
        return "\n".join([*last, f"({'runs' if self.runs() else 'does not run'}; whole log: {self.log})"])

    def log_length(self) -> int:
        """Return how long the log is by now."""
        return len(self.log.read_text())

    def wait_logged(self, text: str, *, after: int = 0) -> None:
        """Wait until the log says this, in capitals or not, behind the length that it had."""
        wait_for(
            f"{self.component.name} logs {text!r} (see {self.log})",
            lambda: text.lower() in self.log.read_text()[after:].lower(),
        )


class System:
    """Redis, the operator and one worker, with a namespace and a storage of their own."""

    def __init__(
        self,
        control_plane: ControlPlane,
        folder: Path,
        operator_env: Mapping[str, str] | None = None,
        worker_env: Mapping[str, str] | None = None,
    ) -> None:
        """Make a namespace and a folder; nothing is started. The environments add to the processes' settings."""
        self.control_plane = control_plane
        self.namespace = control_plane.make_namespace()
        self.state = StateDir(folder)
        self.state.make()
        shutil.copy(control_plane.kubeconfig, self.state.kubeconfig)
        self.settings = self.state.settle()
        self.redis = Part(valkey(self.state, self.settings, find_binaries()), self.state)
        self.operator = Part(
            operator(self.state, self.settings, namespace=self.namespace, extra_env=QUICK | dict(operator_env or {})),
            self.state,
        )
        self.worker = Part(worker(self.state, self.settings, extra_env=QUICK | dict(worker_env or {})), self.state)
        self._more: list[Part] = []

    def start(self) -> "System":
        """Start everything."""
        self.redis.start()
        for part in (self.operator, self.worker):  # both at once: most of the wait is for imports
            part.start(wait=False)
        for part in (self.operator, self.worker):
            part.wait_ready()
        return self

    def stop(self) -> None:
        """Stop everything, in reverse order."""
        for part in (*self._more, self.worker, self.operator, self.redis):
            part.stop()
        self.state.release_ports()

    def log_ends(self) -> dict[str, str]:
        """Return how the log of each part ends, and whether the part runs, by the part's name."""
        parts = [part for part in (self.redis, self.operator, self.worker, *self._more) if part.log.exists()]
        return {part.component.name: part.log_end() for part in parts}

    def another_worker(self) -> Part:
        """Start one more worker."""
        part = Part(worker(self.state, self.settings, len(self._more) + 1, extra_env=QUICK), self.state).start()
        self._more.append(part)
        return part

    def mend(self) -> list[str]:
        """Start what does not run, and stop the workers that were added; return the names of the parts that did not run."""
        for added in self._more:
            added.stop()
        self._more.clear()
        lacking = [part for part in (self.redis, self.operator, self.worker) if not part.runs()]
        for part in lacking:
            part.start()
        return [part.component.name for part in lacking]

    def operator_with(self, settings: Mapping[str, str]) -> Part:
        """Return an operator of other settings, to be started while the system's own is away."""
        component = operator(self.state, self.settings, namespace=self.namespace, extra_env=QUICK | dict(settings))
        return Part(component, self.state)

    def jobs(self) -> dict[str, Job]:
        """Return a handle on each job that is there, by its UID."""
        api = client.CustomObjectsApi(self.control_plane.api)
        found: Any = api.list_namespaced_custom_object(GROUP, VERSION, self.namespace, PLURAL)
        names = {job["metadata"]["uid"]: job["metadata"]["name"] for job in found["items"]}
        return {uid: self.job(name) for uid, name in names.items()}

    def submit(self, manifest: Manifest) -> Job:
        """Create a job."""
        self.control_plane.run_kubectl.apply(
            manifest | {"metadata": manifest["metadata"] | {"namespace": self.namespace}}
        )
        return self.job(manifest["metadata"]["name"])

    def job(self, name: str) -> Job:
        """Return a handle on a job."""
        return Job(self.control_plane, self.namespace, name)

    def client(self, database: int = STATE_DB) -> redis.Redis:
        """Return a client of a Redis database."""
        return redis.Redis.from_url(redis_url(self.settings, database))

    def refusals(self) -> list[str]:
        """Return what Redis has refused to operator and worker since it started; nothing where it does not run."""
        try:
            entries: Any = self.client().acl_log()
        except redis.ConnectionError:
            return []
        return [f"{e['username']}: {e['reason']} {e['object']} in {e['context']}" for e in entries]

    @property
    def inputs(self) -> Path:
        """Folder of the namespace's inputs."""
        return self.state.storage / "inputs" / self.namespace

    @property
    def outputs(self) -> Path:
        """Folder of the namespace's outputs."""
        return self.state.storage / "outputs" / self.namespace

    def work_folders(self) -> list[Path]:
        """Return the folders of jobs that are not finished with."""
        return sorted((self.state.storage / "work").glob("*"))

    def work_folder(self, job: Job) -> Path:
        """Return the folder of a job that exists; the folder itself is there only until the job is finished with."""
        found = job.object()
        assert found
        return self.state.storage / "work" / str(found["metadata"]["uid"])


Start = Callable[[], System]
