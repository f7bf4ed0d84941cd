"""The metrics of a worker for Prometheus. All of it is counted in the main process, which outlives every attempt."""

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from recon_api.payload import WorkerDescription
from recon_runtime.version import installed_version
from recon_worker.telemetry.attempt_record import AttemptRecord, collect_records
from recon_worker.telemetry.gpu_load import gpu_loads

SECONDS_OF_A_STEP = (0.1, 0.5, 1, 5, 15, 60, 180, 600, 1800, 3600, 4 * 3600)
OTHER = "other"
"""Label of models that are not installed: whoever writes a job may invent any name."""

COLLECT_EVERY_S = 1.0


class WorkerMetrics:
    """A worker's metrics; each instance has its own registry."""

    def __init__(
        self,
        worker: WorkerDescription,
        last_renewals: Callable[[], Sequence[float]],
        registration_age_s: Callable[[], float],
        refused_messages: Callable[[], Mapping[str, int]],
    ) -> None:
        """Describe this worker.

        `last_renewals` returns when (Unix time) the lease of each running attempt was last renewed, `refused_messages` how
        many messages were refused by each kind of fault.
        """
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        self._models: Collection[str] = worker.models
        ProcessCollector(registry=registry)
        registry.register(_NowCollector(last_renewals))
        registry.register(_RefusedMessagesCollector(refused_messages))
        info = Gauge(
            "reconstruction_worker_info",
            "1, with what this worker is.",
            ["worker", "gpu_class", "gpu", "node", "version"],
            registry=registry,
        )
        info.labels(worker.name, worker.gpu_class, worker.gpu, worker.node, installed_version()).set(1)
        self.attempts = Counter(
            "reconstruction_worker_attempts",
            "Attempts that ended, by how and why.",
            ["model", "outcome", "reason"],
            registry=registry,
        )
        self.busy_s = Counter(
            "reconstruction_worker_busy_seconds", "Time that attempts took which have ended.", registry=registry
        )
        self.step_s = Histogram(
            "reconstruction_worker_step_seconds",
            "One step of one attempt, whether it ended well or not.",
            ["model", "step"],
            buckets=SECONDS_OF_A_STEP,
            registry=registry,
        )
        self.photos = Counter(
            "reconstruction_worker_input_photos", "Photos of the jobs that were completed here.", registry=registry
        )
        self.input_bytes = Counter(
            "reconstruction_worker_input_bytes",
            "Size of the inputs of the jobs that were completed here.",
            registry=registry,
        )
        registration = Gauge(
            "reconstruction_worker_registration_age_seconds",
            "Since this worker last reached Redis to say that it lives.",
            registry=registry,
        )
        registration.set_function(registration_age_s)

    def count(self, record: AttemptRecord) -> None:
        """Count an attempt that ended."""
        model = record.model if record.model in self._models else OTHER
        self.attempts.labels(model, record.outcome.value, record.reason).inc()
        self.busy_s.inc(record.seconds)
        for visit in record.steps:
            self.step_s.labels(model, visit.step.value).observe(visit.seconds)
        self.photos.inc(record.photos)
        self.input_bytes.inc(record.input_bytes)


class RecordCounter(threading.Thread):
    """Counts the records that attempts leave in a folder."""

    def __init__(self, folder: Path, count: Callable[[AttemptRecord], None]) -> None:
        super().__init__(name="attempt-records", daemon=True)
        self._folder, self._count = folder, count

    def run(self) -> None:
        """Count as long as the process lives."""
        while True:
            for record in collect_records(self._folder):
                self._count(record)
            time.sleep(COLLECT_EVERY_S)


class _NowCollector(Collector):
    """What is read at each scrape."""

    def __init__(self, last_renewals: Callable[[], Sequence[float]]) -> None:
        self._last_renewals = last_renewals

    def collect(self) -> Iterator[GaugeMetricFamily]:
        renewals = self._last_renewals()
        yield GaugeMetricFamily("reconstruction_worker_busy", "1 while an attempt runs.", value=float(bool(renewals)))
        age = GaugeMetricFamily(
            "reconstruction_worker_lease_renewal_age_seconds",
            "Since the running attempt last renewed its lease in Redis; nothing while none runs.",
        )
        if renewals:
            age.add_metric([], max(time.time() - min(renewals), 0.0))
        yield age
        yield from _gpu_families()


class _RefusedMessagesCollector(Collector):
    """What the check of messages has counted."""

    def __init__(self, refused_messages: Callable[[], Mapping[str, int]]) -> None:
        self._refused_messages = refused_messages

    def collect(self) -> Iterator[CounterMetricFamily]:
        refused = CounterMetricFamily(
            "reconstruction_worker_messages_refused",
            "Messages from the queue, or over Celery's remote control, that nobody here sends, by what is wrong with them.",
            labels=["fault"],
        )
        for fault, count in self._refused_messages().items():
            refused.add_metric([fault], count)
        yield refused


def _gpu_families() -> Iterator[GaugeMetricFamily]:
    used = GaugeMetricFamily("reconstruction_worker_gpu_memory_used_bytes", "Memory of the GPU in use.", labels=["gpu"])
    total = GaugeMetricFamily("reconstruction_worker_gpu_memory_bytes", "Memory that the GPU has.", labels=["gpu"])
    busy = GaugeMetricFamily(
        "reconstruction_worker_gpu_busy_ratio", "Share of the last second in which the GPU worked.", labels=["gpu"]
    )
    for load in gpu_loads():
        used.add_metric([load.gpu], load.used_bytes)
        total.add_metric([load.gpu], load.total_bytes)
        if load.busy is not None:
            busy.add_metric([load.gpu], load.busy)
    yield from (used, total, busy)
