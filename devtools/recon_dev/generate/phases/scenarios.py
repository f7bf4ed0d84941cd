"""What can happen to a job. Each takes a world and returns the one after it, or nothing where it cannot happen there."""

from dataclasses import replace

from recon_api.keys import NO_ATTEMPT
from recon_api.payload import AttemptResult, ClaimOwner, Outcome, ProgressMeta
from recon_api.reasons import CANCELLED, CUDA_OUT_OF_MEMORY, INPUT_NOT_FOUND, SUSPENDED, Reason
from recon_api.resource import RESTORED_ANNOTATION, RestoredJobs
from recon_api.spec import Cancellation
from recon_api.status import Phase
from recon_api.steps import Step
from recon_dev.generate.phases.world import LIMITS, World, settle
from recon_operator.decide.observation import Observation

OWNER = ClaimOwner(worker="worker-0", boot_id="boot", nonce="nonce")
DEADLINE_S = 3600
"""Of the jobs that have one."""


# --- its owner ---------------------------------------------------------------------------------------------------
def suspended(world: World) -> World | None:
    """Set spec.suspend."""
    return None if world.job.spec.suspend else world.ask(suspend=True)


def resumed(world: World) -> World | None:
    """Clear spec.suspend."""
    return world.ask(suspend=False) if world.job.spec.suspend else None


def requested(world: World) -> World | None:
    """Request a cancellation."""
    return None if world.job.spec.cancellation else world.ask(cancellation=Cancellation.REQUESTED)


def withdrawn(world: World) -> World | None:
    """Withdraw the request."""
    asked = _after_request(world)
    return asked and asked.ask(cancellation=None)


def expired(world: World) -> World | None:
    """Let the request expire."""
    asked = _after_request(world)
    if asked is None or asked.job.status.cancellation is None:
        return None
    return asked.tell(cancellation=asked.job.status.cancellation.model_copy(update={"expires_at": asked.now}))


def confirmed(world: World) -> World | None:
    """Confirm the request."""
    asked = _after_request(world)
    return asked and asked.ask(cancellation=Cancellation.CONFIRMED)


def deleted(world: World) -> World:
    """Delete the object."""
    return world.meta(deletion_timestamp=world.now)


def deleted_without_redis(world: World) -> World:
    """Delete the object, while Redis does not answer for longer than that may take."""
    return redis_gone(deleted(world)).later(LIMITS.delete_force_s)


# --- the queue and the workers -----------------------------------------------------------------------------------
def admitted(world: World) -> World:
    """Say that a worker will be free for the job."""
    return world.see(admitted=True)


def claimed(world: World) -> World | None:
    """Have a worker take the attempt."""
    return world.see(waits_in_queue=False, claim=OWNER, leased=True) if world.is_sent else None


def reported(world: World) -> World | None:
    """Have the worker report progress."""
    percentage = world.seen.progress.progress + 10.0 if world.seen.progress else 30.0
    report = ProgressMeta(progress=percentage, step=Step.RECONSTRUCTION)
    return world.see(progress=report).later(LIMITS.progress_interval_s) if world.runs else None


def completed(world: World) -> World | None:
    """Let the attempt publish its files."""
    return _ended(world, Outcome.COMPLETED)


def failed(world: World) -> World | None:
    """Let the attempt fail by itself."""
    return _ended(world, Outcome.FAILED, CUDA_OUT_OF_MEMORY)


def mistaken(world: World) -> World | None:
    """Let the attempt find that it cannot succeed: the owner must change something."""
    return _ended(world, Outcome.FAILED, INPUT_NOT_FOUND)


def stopped(world: World) -> World | None:
    """Let the attempt stop, as it was told to."""
    if world.seen.stop_flag_set:
        return _ended(world, Outcome.CANCELLED, CANCELLED)
    return _ended(world, Outcome.FAILED, SUSPENDED) if world.seen.authorised == NO_ATTEMPT else None


def overstayed(world: World) -> World | None:
    """Let the attempt run on for the grace time, though it was told to stop."""
    is_told = world.seen.stop_flag_set or world.seen.authorised == NO_ATTEMPT
    return world.later(LIMITS.cancellation_grace_s) if world.runs and is_told else None


def lost(world: World) -> World | None:
    """Lose the worker."""
    return world.see(leased=False, silent_s=LIMITS.lost_after_s) if world.runs else None


def lost_too_often(world: World) -> World | None:
    """Lose the worker once more than an installation allows."""
    for scenario in (lost, admitted, claimed) * LIMITS.ignored_attempts:
        after = scenario(world)
        if after is None:
            return None
        world = settle(after).world
    return lost(world)


def message_lost(world: World) -> World | None:
    """Lose the message of an attempt that was sent."""
    return world.see(waits_in_queue=False, silent_s=LIMITS.lost_after_s) if world.is_sent else None


# --- Redis -------------------------------------------------------------------------------------------------------
def redis_gone(world: World) -> World:
    """Have Redis answer no more."""
    attempt = world.job.status.execution_attempts
    return replace(world, seen=Observation(known=False, attempt=attempt, spec_problem=world.seen.spec_problem))


def redis_emptied(world: World) -> World | None:
    """Have Redis lose all its keys; whatever runs renews its lease, and a message is nowhere."""
    if world.phase is Phase.PENDING:
        return None
    silent_s = LIMITS.lost_after_s if world.is_sent else 0.0
    return world.see(
        authorised=None, cancellation_requested=False, stop_flag_set=False, waits_in_queue=False, silent_s=silent_s
    )


# --- time --------------------------------------------------------------------------------------------------------
def backed_off(world: World) -> World | None:
    """Wait until the next attempt is due."""
    return world.later(600) if world.phase is Phase.RETRYING else None


def ran_too_long(world: World) -> World | None:
    """Run for longer than the job may."""
    return world.later(DEADLINE_S) if world.runs else None


def waited_too_long(world: World) -> World | None:
    """Wait in the queue for longer than the job may."""
    waits = world.phase is Phase.QUEUED and not world.job.status.start_time
    return world.later(DEADLINE_S) if waits else None


# --- others ------------------------------------------------------------------------------------------------------
def edited(world: World) -> World | None:
    """Write another phase into the status; the API server refuses to change an end, or to write half of one."""
    if world.phase.finished:
        return None
    return world.tell(phase=Phase.QUEUED)


def restored(world: World) -> World | None:
    """Put back an older resource: Redis knows of an attempt that was sent since."""
    if world.phase.finished:
        return None
    return world.see(authorised=world.job.status.execution_attempts + 1)


def restored_as_held(world: World) -> World | None:
    """Restore a finished job without its status, where such jobs are held."""
    held = {RESTORED_ANNOTATION: RestoredJobs.HOLD.value}
    return world.meta(annotations=held) if world.phase is Phase.PENDING else None


def unreadable(world: World) -> World:
    """Replace the operator by a version that cannot read the spec."""
    return world.see(spec_problem="spec.parameters cannot be read")


def looked_at(world: World) -> World:
    """Change nothing."""
    return world


def _after_request(world: World) -> World | None:
    """Return the world in which a request is noted that was not confirmed."""
    if world.job.spec.cancellation is Cancellation.CONFIRMED:
        return None
    return world if world.job.spec.cancellation else settle(world.ask(cancellation=Cancellation.REQUESTED)).world


def _ended(world: World, outcome: Outcome, reason: Reason | None = None) -> World | None:
    result = AttemptResult(
        outcome=outcome,
        attempt=world.job.status.execution_attempts,
        reason=reason.name if reason else "",
        worker=OWNER.worker,
        started_at=world.now,
        finished_at=world.now,
    )
    return world.see(leased=False, result=result) if world.runs else None
