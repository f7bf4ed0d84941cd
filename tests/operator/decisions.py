"""What the tables of decisions compare: an outcome of which a row states only what it is about."""

from dataclasses import dataclass

from recon_api.resource import ReconstructionJob
from recon_api.status import Phase
from recon_operator.decide.attempts import payload
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision, Effect, SendAttempt
from recon_operator.decide.limits import Limits
from tests.operator.builders import NOW, make_observation

LIMITS = Limits()


@dataclass(frozen=True)
class Expected:
    """What a decision comes to."""

    phase: Phase
    effects: tuple[Effect, ...] = ()
    reasons: tuple[str, ...] = ()
    """Of the events."""
    finalizer: bool = False
    finished: bool = False
    attempts: int = 1
    """status.executionAttempts."""


def send(job: ReconstructionJob, attempt: int) -> SendAttempt:
    """Return the effect that sends this attempt of the job."""
    status = job.status.model_copy(update={"execution_attempts": attempt, "model": job.spec.model})
    nobody = make_observation(attempt=0, authorised=None)
    return SendAttempt(payload(Situation(job, nobody, NOW, LIMITS, status)), job.spec.gpu_class)


def outcome(decision: Decision) -> Expected:
    """Return what a table compares of a decision."""
    return Expected(
        phase=decision.status.phase,
        effects=decision.effects,
        reasons=tuple(event.reason.name for event in decision.events),
        finalizer=decision.finalizer,
        finished=decision.finished,
        attempts=decision.status.execution_attempts,
    )
