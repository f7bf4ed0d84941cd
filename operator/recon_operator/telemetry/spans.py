"""The spans that the operator tells of a job, by OpenTelemetry over OTLP/HTTP.

    job                     from its creation to its end
      queued                until an attempt is sent, once for each attempt
      attempt <n>           from its dispatch to its end
        dispatch            the message on its way to Redis
        run attempt <n>     what the worker tells, with its steps

Each is told when it is over, from what the statuses say. Its ids follow from the job (`recon_api.trace_context`), so
nothing about it must be kept, and an operator that takes over goes on with the same trace.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from recon_api import reasons, trace_context
from recon_api.payload import TaskPayload
from recon_api.resource import ReconstructionJob
from recon_api.status import Attempt, Phase
from recon_runtime.spans import SpanExport, nanoseconds, within

REMEMBERED_DISPATCHES = 10_000
GOOD_ENDS = {reason.name for reason in (reasons.COMPLETED, reasons.CANCELLED, reasons.SUSPENDED)}
"""Of an attempt: as somebody wanted it."""

Attributes = Mapping[str, str | int | float]


class JobSpans(SpanExport):
    """Tells the spans; by the environment's OTEL_ variables, where they say how."""

    def __init__(self) -> None:
        """Begin a thread that sends them in batches."""
        self._ids = _GivenIds()
        super().__init__("operator", self._ids)
        self._sent_at: dict[str, float] = {}

    def note_transition(self, before: ReconstructionJob, after: ReconstructionJob) -> None:
        """Tell the spans that a written status has ended."""
        old, new = before.status, after.status
        known = {attempt.number for attempt in old.attempts if attempt.end_time}
        for attempt in new.attempts:
            if attempt.end_time and attempt.number not in known:
                self._tell_attempt(after, attempt)
        if new.execution_attempts > old.execution_attempts:
            self._tell_wait(before, new.execution_attempts, new.task_id)
        if new.phase.finished and not old.phase.finished:
            self._tell_job(after)

    @contextmanager
    def dispatching(self, payload: TaskPayload) -> Iterator[None]:
        """Tell the block as the span of sending an attempt."""
        began = time.time()
        error = ""
        try:
            yield
        except Exception as raised:
            error = f"{type(raised).__name__}: {raised}"
            raise
        finally:
            parent = trace_context.attempt_span_id(payload.job_id, payload.attempt)
            self._tell(
                payload.job_id,
                "dispatch",
                began,
                time.time(),
                parent=parent,
                kind=SpanKind.PRODUCER,
                error=error,
                attributes={"messaging.system": "celery", "messaging.operation.type": "send"},
            )

    def traceparent(self, payload: TaskPayload) -> str | None:
        """Return what makes the worker's spans part of the job's trace."""
        return trace_context.traceparent(payload.job_id, payload.attempt, sampled=self._is_sampled(payload.job_id))

    def _tell_job(self, job: ReconstructionJob) -> None:
        status = job.status
        attributes: Attributes = {
            **_about(job),
            "reconstruction.phase": status.phase.value,
            "reconstruction.model": status.model,
            "reconstruction.attempts": status.execution_attempts,
        }
        self._tell(
            job.uid,
            "job",
            _created(job),
            time.time(),
            span_id=trace_context.job_span_id(job.uid),
            error=(status.message or "failed") if status.phase is Phase.FAILED else "",
            attributes=attributes,
        )

    def _tell_wait(self, job: ReconstructionJob, attempt: int, task: str) -> None:
        now = time.time()
        ends = [earlier.end_time.timestamp() for earlier in job.status.attempts if earlier.end_time]
        began = max(ends) if ends else _created(job)
        parent = trace_context.job_span_id(job.uid)
        self._tell(job.uid, "queued", began, now, parent=parent, attributes={"reconstruction.attempt": attempt})
        self._sent_at[task] = now
        while len(self._sent_at) > REMEMBERED_DISPATCHES:
            self._sent_at.pop(next(iter(self._sent_at)))

    def _tell_attempt(self, job: ReconstructionJob, attempt: Attempt) -> None:
        ended = time.time()
        known = attempt.start_time.timestamp() if attempt.start_time else ended
        attributes: Attributes = {
            **_about(job),
            "reconstruction.attempt": attempt.number,
            "reconstruction.reason": attempt.reason,
            "reconstruction.worker": attempt.worker,
        }
        self._tell(
            job.uid,
            f"attempt {attempt.number}",
            self._sent_at.pop(f"{job.uid}.{attempt.number}", known),
            ended,
            span_id=trace_context.attempt_span_id(job.uid, attempt.number),
            parent=trace_context.job_span_id(job.uid),
            error="" if attempt.reason in GOOD_ENDS else attempt.reason,
            attributes=attributes,
        )

    def _tell(
        self,
        uid: str,
        name: str,
        began: float,
        ended: float,
        *,
        span_id: int | None = None,
        parent: int | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        error: str = "",
        attributes: Attributes | None = None,
    ) -> None:
        with self._ids.given(trace_context.trace_id(uid), span_id):
            span = self._tracer.start_span(
                name,
                self._context(uid, parent),
                kind,
                attributes={"reconstruction.uid": uid, **(attributes or {})},
                start_time=nanoseconds(min(began, ended)),
            )
        if error:
            span.set_status(Status(StatusCode.ERROR, error))
        span.end(nanoseconds(ended))

    def _context(self, uid: str, parent: int | None) -> Context:
        if parent is None:
            return Context()
        flags = TraceFlags(TraceFlags.SAMPLED if self._is_sampled(uid) else TraceFlags.DEFAULT)
        return within(SpanContext(trace_context.trace_id(uid), parent, is_remote=True, trace_flags=flags))

    def _is_sampled(self, uid: str) -> bool:
        asked = self._provider.sampler.should_sample(None, trace_context.trace_id(uid), "job")
        return bool(asked.decision.is_sampled())  # type: ignore[no-untyped-call]


class _GivenIds(RandomIdGenerator):
    """Ids that are given for one span, else random ones. Spans are begun by the event loop's thread alone."""

    def __init__(self) -> None:
        self._trace_id: int | None = None
        self._span_id: int | None = None

    @contextmanager
    def given(self, trace_id: int, span_id: int | None) -> Iterator[None]:
        self._trace_id, self._span_id = trace_id, span_id
        try:
            yield
        finally:
            self._trace_id = self._span_id = None

    def generate_trace_id(self) -> int:
        return self._trace_id or super().generate_trace_id()

    def generate_span_id(self) -> int:
        return self._span_id or super().generate_span_id()


def _about(job: ReconstructionJob) -> dict[str, str]:
    return {"k8s.namespace.name": job.metadata.namespace, "reconstruction.job": job.metadata.name}


def _created(job: ReconstructionJob) -> float:
    created = job.metadata.creation_timestamp
    return created.timestamp() if created else time.time()
