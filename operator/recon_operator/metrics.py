"""What Prometheus is told."""

import time
from collections import Counter as Tally
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from recon_api.resource import ReconstructionJob
from recon_api.status import Phase
from recon_operator.jobs import Jobs

SECONDS_OF_A_JOB = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600)
SECONDS_OF_A_REACTION = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The operator's metrics; each instance has its own registry."""

    def __init__(self, jobs: Jobs) -> None:
        """Count what happens; the number of jobs in each phase is read from `jobs` at each scrape."""
        self.registry = registry = CollectorRegistry()
        registry.register(_JobsCollector(jobs))
        self._last_event = time.monotonic()
        self.finished = Counter("reconstruction_jobs_finished", "Jobs that ended.", ["phase"], registry=registry)
        self.admission_wait_s = Histogram(
            "reconstruction_admission_wait_seconds", "From creation to the first attempt's dispatch.",
            buckets=SECONDS_OF_A_JOB, registry=registry,
        )  # fmt: skip
        self.execution_s = Histogram(
            "reconstruction_execution_seconds", "From the first attempt's start to the job's end.",
            buckets=SECONDS_OF_A_JOB, registry=registry,
        )  # fmt: skip
        self.step_s = Histogram(
            "reconstruction_step_seconds", "One step of a job that succeeded, over all attempts that worked on it.",
            ["model", "step"], buckets=SECONDS_OF_A_JOB, registry=registry,
        )  # fmt: skip
        self.gpu_s = Counter(
            "reconstruction_gpu_seconds", "Running time of attempts that have ended.", ["namespace"], registry=registry
        )
        self.cancel_latency_s = Histogram(
            "reconstruction_cancel_latency_seconds", "From the confirmation of a cancellation to its end.",
            buckets=SECONDS_OF_A_REACTION, registry=registry,
        )  # fmt: skip
        self.reconcile_s = Histogram(
            "reconstruction_reconcile_seconds", "One job's pass, from its decision to the last effect.",
            buckets=SECONDS_OF_A_REACTION, registry=registry,
        )  # fmt: skip
        self.reconcile_errors = Counter(
            "reconstruction_reconcile_errors", "Passes that failed and are tried again.", ["error"], registry=registry
        )
        self.status_corrections = Counter(
            "reconstruction_status_corrections", "Statuses that somebody else had written and that were set right.",
            registry=registry,
        )  # fmt: skip
        self.removed = Counter(
            "reconstruction_jobs_removed", "Jobs removed after their ttlSecondsAfterFinished.", registry=registry
        )
        self.workers = Gauge("reconstruction_workers", "Connected workers.", ["gpu_class"], registry=registry)
        age = Gauge(
            "reconstruction_watch_last_event_age_seconds", "Since the watch brought something.", registry=registry
        )
        age.set_function(lambda: time.monotonic() - self._last_event)

    def note_event(self) -> None:
        """Note that the watch brought something."""
        self._last_event = time.monotonic()

    def note_workers(self, workers: Tally[str]) -> None:
        """Note how many workers of each gpuClass are connected."""
        self.workers.clear()
        for gpu_class, count in workers.items():
            self.workers.labels(gpu_class).set(count)

    def note_transition(self, before: ReconstructionJob, after: ReconstructionJob) -> None:
        """Measure what a written status has ended."""
        old, new = before.status, after.status
        created = before.metadata.creation_timestamp
        if created and old.execution_attempts == 0 and new.execution_attempts == 1:
            self.admission_wait_s.observe(max(time.time() - created.timestamp(), 0.0))
        if new.phase.finished and not old.phase.finished:
            self.finished.labels(new.phase.value).inc()
            if new.start_time and new.completion_time:
                self.execution_s.observe((new.completion_time - new.start_time).total_seconds())
            for step in new.steps:
                self.step_s.labels(new.model, step.name).observe(step.seconds)
        if new.active_seconds > old.active_seconds:
            self.gpu_s.labels(after.metadata.namespace).inc(new.active_seconds - old.active_seconds)
        if new.phase is Phase.CANCELLED and old.phase is not Phase.CANCELLED:
            confirmed = new.cancellation.confirmed_at if new.cancellation else None
            if confirmed:
                self.cancel_latency_s.observe(max(time.time() - confirmed.timestamp(), 0.0))


class _JobsCollector(Collector):
    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        family = GaugeMetricFamily(
            "reconstruction_jobs", "Jobs that have not left the watch.", labels=["phase", "namespace"]
        )
        tally = Tally((job.status.phase.value, job.metadata.namespace) for job in self._jobs)
        for (phase, namespace), count in sorted(tally.items()):
            family.add_metric([phase, namespace], count)
        yield family
