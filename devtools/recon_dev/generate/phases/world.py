"""A job in a world of plain values, and the operator's passes over it."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from recon_api.keys import NO_ATTEMPT
from recon_api.resource import FINALIZER, FINISHED_LABEL, ObjectMeta, ReconstructionJob
from recon_api.spec import ReconstructionJobSpec
from recon_api.status import Phase
from recon_operator.decide import decide
from recon_operator.decide.decision import (
    AuthoriseAttempt,
    ClearFlags,
    Decision,
    DiscardFiles,
    Effect,
    ForgetJob,
    HoldAttempts,
    KillAttempt,
    SendAttempt,
    SetRequestFlag,
    SetStopFlag,
    StopLater,
)
from recon_operator.decide.observation import Observation
from recon_operator.decide.policy_settings import PolicySettings

START = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
LIMITS = PolicySettings(installation="recon/reconstruction")
MOST_PASSES = 10
"""After so few passes in which nothing else happens a job must have come to rest."""


@dataclass(frozen=True)
class World:
    """A job, what is seen of it, and the time."""

    job: ReconstructionJob
    seen: Observation
    now: datetime = START
    gone: bool = False

    @property
    def phase(self) -> Phase:
        """Where the job is in its life."""
        return self.job.status.phase

    @property
    def is_sent(self) -> bool:
        """Whether an attempt is sent, and no worker has taken it."""
        return self.seen.waits_in_queue

    @property
    def runs(self) -> bool:
        """Whether a worker runs an attempt."""
        return self.seen.leased

    def see(self, **fields: Any) -> "World":
        """Return the world in which this is seen of the job."""
        return replace(self, seen=replace(self.seen, **fields))

    def ask(self, **spec: Any) -> "World":
        """Return the world in which somebody has changed the job's spec (fields as they are named in Python)."""
        changed = self.job.spec.model_copy(update=spec)
        return replace(self, job=self.job.model_copy(update={"spec": changed})).meta(
            generation=self.job.metadata.generation + 1
        )

    def meta(self, **fields: Any) -> "World":
        """Return the world in which these fields of the job's metadata are changed."""
        metadata = self.job.metadata.model_copy(update=fields)
        return replace(self, job=self.job.model_copy(update={"metadata": metadata}))

    def tell(self, **status: Any) -> "World":
        """Return the world in which the job's status says this."""
        told = self.job.status.model_copy(update=status)
        return replace(self, job=self.job.model_copy(update={"status": told}))

    def later(self, seconds: float) -> "World":
        """Return the world after so long."""
        return replace(self, now=self.now + timedelta(seconds=seconds))


@dataclass(frozen=True)
class Course:
    """What a job has gone through from one world to another."""

    world: World
    phases: tuple[Phase, ...]
    """Every phase that it has been in, the first and the last included."""
    effects: frozenset[type[Effect]]
    """Kinds of what the operator has done."""
    writes: int
    """In how many passes the status has changed."""


def new_world(spec: dict[str, Any]) -> World:
    """Return the world of a job that was created now (camelCase keys), and that the operator has not seen."""
    metadata = ObjectMeta(name="chair", namespace="studio", uid="uid", creation_timestamp=START)
    job = ReconstructionJob(
        metadata=metadata, spec=ReconstructionJobSpec.model_validate({"model": "synthetic", **spec})
    )
    return World(job, Observation(workers=1))


def settle(world: World) -> Course:
    """Let the operator look at the job until nothing changes any more; raise RuntimeError where that never comes."""
    phases, effects, writes = [world.phase], set[type[Effect]](), 0
    for _ in range(MOST_PASSES):
        before, decision = world, decide(world.job, world.seen, world.now, LIMITS)
        world = _after(world, decision)
        effects.update(map(type, decision.effects))
        writes += world.job.status != before.job.status
        if world.phase is not phases[-1]:
            phases.append(world.phase)
        if world == before or world.gone:
            return Course(world, tuple(phases), frozenset(effects), writes)
    raise RuntimeError(f"the job does not come to rest: {' → '.join(phases)}")


def _after(world: World, decision: Decision) -> World:
    """Return the world after a decision was carried out."""
    metadata = world.job.metadata
    others = tuple(name for name in metadata.finalizers if name != FINALIZER)
    world = world.meta(
        finalizers=(*others, FINALIZER) if decision.finalizer else others,
        labels={**metadata.labels, **({FINISHED_LABEL: "true"} if decision.finished else {})},
    )
    world = replace(
        world.tell(**dict(decision.status)),
        gone=metadata.deletion_timestamp is not None and not decision.finalizer,
        seen=world.seen.of_attempt(decision.status.execution_attempts),
    )
    for effect in decision.effects:
        world = _carried_out(world, effect)
    return world


def _carried_out(world: World, effect: Effect) -> World:
    seen: dict[str, Any] = {}
    match effect:
        case SendAttempt():
            seen = {"authorised": effect.payload.attempt, "waits_in_queue": True, "admitted": False, "silent_s": 0.0}
        case AuthoriseAttempt(attempt):
            seen = {"authorised": attempt}
        case HoldAttempts():
            seen = {"authorised": NO_ATTEMPT}
        case SetRequestFlag():
            seen = {"cancellation_requested": True}
        case ClearFlags():
            seen = {"cancellation_requested": False, "stop_flag_set": False}
        case SetStopFlag():
            seen = {"stop_flag_set": True}
        case ForgetJob():
            seen = {"authorised": None, "cancellation_requested": False, "stop_flag_set": False}
        case KillAttempt() | DiscardFiles() | StopLater():
            pass  # what comes of it is a scenario of its own
    return world.see(**seen)
