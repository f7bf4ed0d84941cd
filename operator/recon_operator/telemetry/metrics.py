"""What Prometheus scrapes."""

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from recon_api.resource import ReconstructionJob
from recon_api.status import ConditionStatus, ConditionType, Phase, ReconstructionJobStatus
from recon_operator.jobs.cache import Jobs
from recon_operator.watch.liveness import WatchLiveness
from recon_runtime.version import installed_version

SECONDS_OF_A_JOB = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600)
SECONDS_OF_A_REACTION = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The operator's metrics; each instance has its own registry."""

    def __init__(self, jobs: Jobs, watch: WatchLiveness | None = None) -> None:
        """Count what happens; what is now is read from `jobs` and `watch` at each scrape."""
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(JobsCollector(jobs))
        info = Gauge("reconstruction_info", "1, with the operator's version.", ["version"], registry=registry)
        info.labels(installed_version()).set(1)
        self.finished = Counter(
            "reconstruction_jobs_finished",
            "Jobs that ended, by how and why.",
            ["namespace", "phase", "reason"],
            registry=registry,
        )
        self.attempts = Counter(
            "reconstruction_attempts_ended",
            "Attempts that ended, those whose worker was lost too.",
            ["reason"],
            registry=registry,
        )
        self.admission_wait_s = Histogram(
            "reconstruction_admission_wait_seconds",
            "From creation to the first attempt's dispatch.",
            buckets=SECONDS_OF_A_JOB,
            registry=registry,
        )
        self.execution_s = Histogram(
            "reconstruction_execution_seconds",
            "From the first attempt's start to the job's end.",
            buckets=SECONDS_OF_A_JOB,
            registry=registry,
        )
        self.step_s = Histogram(
            "reconstruction_step_seconds",
            "One step of a job that succeeded, over all attempts that worked on it.",
            ["model", "step"],
            buckets=SECONDS_OF_A_JOB,
            registry=registry,
        )
        self.gpu_s = Counter(
            "reconstruction_gpu_seconds", "Running time of attempts that have ended.", ["namespace"], registry=registry
        )
        self.cancel_latency_s = Histogram(
            "reconstruction_cancel_latency_seconds",
            "From the confirmation of a cancellation to its end.",
            buckets=SECONDS_OF_A_REACTION,
            registry=registry,
        )
        self._add_operator_counters(registry)
        self._add_operator_gauges(registry, watch)

    def _add_operator_counters(self, registry: CollectorRegistry) -> None:
        """Add what is counted of the operator's own work."""
        self.reconcile_s = Histogram(
            "reconstruction_reconcile_seconds",
            "One job's pass, from its decision to the last effect.",
            buckets=SECONDS_OF_A_REACTION,
            registry=registry,
        )
        self.reconcile_errors = Counter(
            "reconstruction_reconcile_errors", "Passes that failed and are tried again.", ["error"], registry=registry
        )
        self.status_corrections = Counter(
            "reconstruction_status_corrections",
            "Statuses that knew of fewer attempts than were sent, and were set right.",
            registry=registry,
        )
        self.removed = Counter(
            "reconstruction_jobs_removed", "Jobs removed after their ttlSecondsAfterFinished.", registry=registry
        )
        self.workers = Gauge("reconstruction_workers", "Connected workers.", ["gpu_class"], registry=registry)
        self.missed = Counter(
            "reconstruction_watch_missed",
            "Jobs of which the list, taken now and then, told what the watch had not.",
            registry=registry,
        )

    def _add_operator_gauges(self, registry: CollectorRegistry, watch: WatchLiveness | None) -> None:
        """Add the gauges of the operator itself: whether it leads, hears of jobs, reaches Redis, and turns."""
        age = Gauge(
            "reconstruction_watch_last_event_age_seconds",
            "Since the most silent watch brought an event or was opened; 0 while none is to run.",
            registry=registry,
        )
        if watch:
            age.set_function(watch.age_s)
        self.namespace_missing = Gauge(
            "reconstruction_namespace_missing",
            "1 where the jobs of a namespace that is to be watched cannot be read, else 0; nothing where all are watched.",
            ["namespace"],
            registry=registry,
        )
        self._leader = Gauge("reconstruction_leader", "1 where this operator leads, else 0.", registry=registry)
        self._redis_up = Gauge("reconstruction_redis_up", "1 where Redis answered last.", registry=registry)
        self._waiting = Gauge(
            "reconstruction_work_queue_jobs", "Jobs that are to be looked at, now or at a set time.", registry=registry
        )
        self._refused = Gauge(
            "reconstruction_refused_writes_jobs",
            "Jobs of which the API server refuses what the operator writes, each try of it.",
            registry=registry,
        )
        self._loop_age_s = Gauge(
            "reconstruction_loop_age_seconds", "Since the reconcile loop last turned.", registry=registry
        )

    def follow(
        self, *, redis: Callable[[], bool | None], waiting: Callable[[], int], last_turn: Callable[[], float]
    ) -> None:
        """Read these at each scrape: whether Redis answers, how many jobs are due some time, the loop's last turn."""
        self._redis_up.set_function(lambda: float(redis() is True))
        self._waiting.set_function(lambda: float(waiting()))
        self._loop_age_s.set_function(lambda: time.monotonic() - last_turn())

    def report_refused_writes(self, jobs: Callable[[], int]) -> None:
        """Report at each scrape of how many jobs writes are refused."""
        self._refused.set_function(lambda: float(jobs()))

    def report_leader(self, leads: Callable[[], bool]) -> None:
        """Report at each scrape whether this operator leads."""
        self._leader.set_function(lambda: float(leads()))

    def record_workers(self, workers: Tally[str]) -> None:
        """Record how many workers of each gpuClass are connected."""
        self.workers.clear()
        for gpu_class, count in workers.items():
            self.workers.labels(gpu_class).set(count)

    def record_transition(self, before: ReconstructionJob, after: ReconstructionJob) -> None:
        """Measure what a written status has ended."""
        old, new = before.status, after.status
        created = before.metadata.creation_timestamp
        if created and old.execution_attempts == 0 and new.execution_attempts == 1:
            self.admission_wait_s.observe(max(time.time() - created.timestamp(), 0.0))
        if new.phase.finished and not old.phase.finished:
            self.finished.labels(after.metadata.namespace, new.phase.value, _reason_of_end(new)).inc()
            if new.start_time and new.completion_time:
                self.execution_s.observe((new.completion_time - new.start_time).total_seconds())
            for step in new.steps:
                self.step_s.labels(new.model, step.name).observe(step.seconds)
        self._record_attempts(old, new)
        if new.active_seconds > old.active_seconds:
            self.gpu_s.labels(after.metadata.namespace).inc(new.active_seconds - old.active_seconds)
        if new.phase is Phase.CANCELLED and old.phase is not Phase.CANCELLED:
            confirmed = new.cancellation.confirmed_at if new.cancellation else None
            if confirmed:
                self.cancel_latency_s.observe(max(time.time() - confirmed.timestamp(), 0.0))

    def _record_attempts(self, old: ReconstructionJobStatus, new: ReconstructionJobStatus) -> None:
        known = {attempt.number for attempt in old.attempts if attempt.end_time}
        for attempt in new.attempts:
            if attempt.end_time and attempt.number not in known:
                self.attempts.labels(attempt.reason).inc()


class JobsCollector(Collector):
    """What the jobs are in, counted at each scrape."""

    def __init__(self, jobs: Jobs) -> None:
        """Count these."""
        self._jobs = jobs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the families, in one pass over the jobs."""
        by_namespace: Tally[tuple[str, ...]] = Tally()
        by_pool: Tally[tuple[str, ...]] = Tally()
        longest_s: dict[str, float] = {}
        now = time.time()
        for job in self._jobs:
            phase, pool = job.status.phase.value, job.spec.gpu_class
            by_namespace[phase, job.metadata.namespace] += 1
            by_pool[pool, phase] += 1
            if (since := _queued_since(job)) is not None:
                longest_s[pool] = max(longest_s.get(pool, 0.0), now - since)
        yield _family(
            "reconstruction_jobs",
            "Jobs that have not left the watch: finished ones do.",
            ["phase", "namespace"],
            by_namespace,
        )
        yield _family(
            "reconstruction_pool_jobs",
            "Jobs that have not left the watch, by worker pool.",
            ["gpu_class", "phase"],
            by_pool,
        )
        yield _family(
            "reconstruction_jobs_of_other_operators",
            "Unfinished jobs that another installation manages, by its name; they are counted nowhere else.",
            ["operator"],
            {(owner,): count for owner, count in self._jobs.others.jobs_by_owner().items()},
        )
        yield _family(
            "reconstruction_longest_wait_seconds",
            "How long the job waits that has been queued the longest.",
            ["gpu_class"],
            {(pool,): wait_s for pool, wait_s in longest_s.items()},
        )


def _family(
    name: str, documentation: str, labels: list[str], values: Mapping[tuple[str, ...], float]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=labels)
    for key, value in sorted(values.items()):
        family.add_metric(list(key), value)
    return family


def _queued_since(job: ReconstructionJob) -> float | None:
    """Return since when (Unix time) a job waits for a worker, None where it does not."""
    queued = job.status.condition(ConditionType.QUEUED)
    if queued is None or queued.status is not ConditionStatus.TRUE or job.status.phase.finished:
        return None
    since = queued.last_transition_time or job.metadata.creation_timestamp
    return since.timestamp() if since else None


def _reason_of_end(status: ReconstructionJobStatus) -> str:
    ends = (status.condition(kind) for kind in (ConditionType.COMPLETE, ConditionType.FAILED, ConditionType.CANCELLED))
    return next((end.reason for end in ends if end and end.status is ConditionStatus.TRUE), "")
