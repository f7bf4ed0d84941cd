"""What the tables of decisions compare: an outcome of which a row states only what it is about."""

from dataclasses import dataclass, replace
from typing import Any

from recon_api.payload import AttemptResult
from recon_api.resource import ReconstructionJob
from recon_api.status import Phase, ReconstructionJobStatus
from recon_operator.decide.attempts import payload
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision, Effect, SendAttempt
from recon_operator.decide.observation import Observation
from recon_operator.decide.policy_settings import PolicySettings
from tests.operator.builders import NOW, OWNER, dispatched, failed, make_job, make_observation, running, told

LIMITS = PolicySettings()

NOBODY = make_observation(attempt=0, authorised=None)
"""Of a job that was never sent."""
FREE = make_observation(attempt=0, authorised=None, admitted=True)
"""The same, where a worker is free."""
SILENT = make_observation(claim=OWNER, silent_s=25.0)
"""Of an attempt whose worker is lost."""
UNKNOWN = Observation(known=False, attempt=1)
"""While Redis does not answer."""

NEW = make_job()
SENT = make_job(status=dispatched())
RUNS = make_job(status=running())


@dataclass(frozen=True)
class Expected:
    """What a decision comes to."""

    phase: Phase
    effects: tuple[Effect, ...] = ()
    reasons: tuple[str, ...] = ()
    """Of the events, that of a sent attempt last."""
    finalizer: bool = False
    finished: bool = False
    attempts: int = 1
    """status.executionAttempts."""


def send(job: ReconstructionJob, attempt: int) -> SendAttempt:
    """Return the effect that sends this attempt of the job."""
    status = job.status.model_copy(update={"execution_attempts": attempt, "model": job.spec.model})
    nobody = make_observation(attempt=0, authorised=None)
    return SendAttempt(payload(Context(job, nobody, NOW, LIMITS, status)), job.spec.gpu_class)


def outcome(decision: Decision) -> Expected:
    """Return what a table compares of a decision."""
    sends = [effect for effect in decision.effects if isinstance(effect, SendAttempt)]
    events = (*decision.events, *(effect.event for effect in sends if effect.event))
    return Expected(
        phase=decision.status.phase,
        effects=tuple(
            replace(each, event=None) if isinstance(each, SendAttempt) else each for each in decision.effects
        ),
        reasons=tuple(event.reason.name for event in events),
        finalizer=decision.finalizer,
        finished=decision.finished,
        attempts=decision.status.execution_attempts,
    )


def stopping(told_s_ago: float = 1.0, **fields: Any) -> ReconstructionJobStatus:
    """Return the status of a job whose running attempt was told to stop."""
    return running(**{"attempts": (told(told_s_ago),), **fields})


def held_result() -> AttemptResult:
    """Return the result of an attempt that stopped because it was held."""
    return failed("Suspended", message="the job is held")
