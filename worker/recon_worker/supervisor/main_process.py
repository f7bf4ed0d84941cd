"""The worker's main process, around Celery's own: registration, the watch over its child, and shutting down."""

import logging
import os
import signal
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from celery import signals

from recon_api.keys import queue_name
from recon_api.payload import WorkerDescription
from recon_runtime.last_exit import end_within
from recon_worker.app import create_celery_app
from recon_worker.attempt.child_environment import BOOT_ID_VARIABLE, RUN_DIR_VARIABLE
from recon_worker.attempt.redis_client import UNREACHABLE, state_redis
from recon_worker.attempt.running_attempt import last_renewals, running_attempts
from recon_worker.attempt.signals import SHUTDOWN_SIGNAL
from recon_worker.device import gpu_name
from recon_worker.messages.refusals import refusals
from recon_worker.models.installed import installed_models
from recon_worker.settings import WorkerSettings
from recon_worker.storage.configured import configured_storage
from recon_worker.supervisor.crash_report import CrashReporter
from recon_worker.supervisor.crash_watch import CrashWatch
from recon_worker.supervisor.registration import Registration
from recon_worker.supervisor.stuck_attempts import Watchdog, kill
from recon_worker.telemetry.metrics import RecordCounter, WorkerMetrics
from recon_worker.telemetry.metrics_server import serve

CHILD_LOG_LEVEL_VARIABLE = "_MP_FORK_LOGLEVEL_"
"""By which Celery has a new child log in a form of its own, until ours is set up."""

END_AFTER_GRACE_S = 10.0
"""How long the end of an attempt may take to be recorded after the grace time: less than the 15 s of the chart."""

logger = logging.getLogger(__name__)


def run_worker(settings: WorkerSettings) -> int:
    """Take jobs until SIGTERM; return the exit code."""
    # Celery prefers these variables to the settings that it gets, here and in its child; in the settings, TLS is added to them.
    os.environ |= {
        "CELERY_BROKER_URL": settings.celery_broker_url,
        "CELERY_RESULT_BACKEND": settings.celery_result_backend,
    }
    app = create_celery_app(settings)
    with tempfile.TemporaryDirectory(prefix="reconstruction-") as folder:
        # The child is a new interpreter: what it must know beside the settings it gets by the environment.
        os.environ |= {BOOT_ID_VARIABLE: uuid.uuid4().hex, RUN_DIR_VARIABLE: folder}
        process = MainProcess(settings, Path(folder), boot_id=os.environ[BOOT_ID_VARIABLE])
        with process.around_celery():
            worker = app.Worker(
                hostname=f"reconstruction@{settings.worker_name}",
                queues=[queue_name(settings.gpu_class)],
                loglevel=settings.log_level,
                quiet=True,
                without_gossip=True,
                without_mingle=True,
                without_heartbeat=True,
            )
            os.environ.pop(CHILD_LOG_LEVEL_VARIABLE, None)
            worker.start()
        return int(worker.exitcode or 0)


class MainProcess:
    """What the main process does beside Celery's own work."""

    def __init__(self, settings: WorkerSettings, run_dir: Path, boot_id: str) -> None:
        self._settings, self._run_dir = settings, run_dir
        self._redis = state_redis(settings)
        self._stopping = threading.Event()
        description = describe(settings, boot_id)
        self._watchdog = Watchdog(
            self._redis,
            run_dir,
            grace_s=settings.stop_grace_s,
            unwanted_s=settings.self_stop_s,
            interval_s=settings.lease_beat_s,
        )
        self._registration = Registration(
            self._redis,
            description,
            ttl_s=settings.lease_ttl_s,
            beat_s=settings.lease_beat_s,
            liveness_file=settings.liveness_file,
        )
        self._metrics = WorkerMetrics(
            description, partial(last_renewals, run_dir), self._registration.age_s, refused_messages
        )
        self.crash_reporter = CrashReporter(
            self._redis,
            configured_storage(settings),
            worker_name=settings.worker_name,
            shutting_down=self._stopping.is_set,
            count=self._metrics.count,
        )
        self._crash_watch = CrashWatch(run_dir, self.crash_reporter.report)

    @contextmanager
    def around_celery(self) -> Iterator[None]:
        """Watch and be registered while Celery's worker runs, from the moment on that it takes messages."""
        signals.worker_ready.connect(self._begin, weak=False)
        signals.worker_shutting_down.connect(self._shut_down, weak=False)
        if port := self._settings.metrics_port:
            try:
                serve(self._metrics.registry, self._settings.metrics_host, port)
            except OSError as error:
                raise SystemExit(f"METRICS_PORT={port} cannot be served: {error}") from error
            RecordCounter(self._run_dir, self._metrics.count).start()
        self._crash_watch.start()
        self._watchdog.start()
        try:
            yield
        finally:
            self._watchdog.end()
            self._registration.end()
            if self._registration.is_alive():
                self._registration.join(5.0)
            self._crash_watch.end()
            self._crash_watch.join()
            self._check_a_last_time()

    def _check_a_last_time(self) -> None:
        try:
            self._crash_watch.check()
        except UNREACHABLE as error:
            logger.warning("a crashed attempt is not reported, its lease lapses: %s", error)

    def _begin(self, **_: Any) -> None:
        self._registration.start()

    def _shut_down(self, **_: Any) -> None:
        """Have the running attempt leave its step, and Celery end once it has; kill it after the grace time."""
        self._stopping.set()
        self._registration.end()
        for running in running_attempts(self._run_dir):
            kill(running.pid, SHUTDOWN_SIGNAL)
        threading.Thread(target=self._kill_late, name="grace", daemon=True).start()
        end_within(self._settings.stop_grace_s + END_AFTER_GRACE_S, before=_kill_children)

    def _kill_late(self) -> None:
        threading.Event().wait(self._settings.stop_grace_s)
        for running in running_attempts(self._run_dir):
            message = "attempt %d of job %s did not stop in time; killed"
            logger.warning(message, running.attempt, running.uid, extra=running.log_fields)
            kill(running.pid, signal.SIGKILL)


def refused_messages() -> Mapping[str, int]:
    """Return how many messages this worker has refused, by each kind of fault."""
    return refusals().counts


def _kill_children() -> None:
    """Kill what Celery has started, which would outlive this process."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # a process that is gone by now
            pid, _, rest = stat.read_text().partition(" ")
            if int(rest.rpartition(")")[2].split()[1]) == os.getpid():
                kill(int(pid), signal.SIGKILL)


def describe(settings: WorkerSettings, boot_id: str) -> WorkerDescription:
    """Return the worker as it registers."""
    models = tuple(name for name in installed_models() if name != "synthetic" or settings.enable_synthetic)
    return WorkerDescription(
        name=settings.worker_name,
        boot_id=boot_id,
        gpu_class=settings.gpu_class,
        node=settings.node_name,
        gpu=gpu_name(),
        models=models,
    )
