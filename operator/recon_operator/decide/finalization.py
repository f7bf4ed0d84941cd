"""Jobs that have ended."""

from recon_api.resource import FINALIZER, FINISHED_LABEL
from recon_api.status import Phase
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import AssertStop, Decision, ForgetJob
from recon_operator.decide.terminal_transitions import discard_files


def finished_jobs_stay_finished(situation: Situation) -> Situation | Decision:
    """Leave a final phase as it is, and complete what a crash left undone: the files, the keys, the finalizer, the label."""
    if not situation.status.phase.finished:
        return situation
    metadata, seen = situation.job.metadata, situation.seen
    if FINALIZER not in metadata.finalizers and FINISHED_LABEL in metadata.labels:
        return situation.decide(finished=True)
    if not seen.known and metadata.deletion_timestamp is None:
        return situation.look_again_in(situation.limits.retry_redis_s).decide()
    if seen.leased and seen.result is None:  # somebody else ended it, by the status: whatever runs has to stop
        return situation.effect(AssertStop()).look_again_in(situation.limits.stop_interval_s).decide()
    return (_cleared_up(situation) if seen.known else situation).decide(finalizer=False, finished=True)


def _cleared_up(situation: Situation) -> Situation:
    seen = situation.seen
    if situation.status.phase is not Phase.SUCCEEDED:  # where it has, its worker has removed them
        situation = discard_files(situation)
    if seen.authorised is not None or seen.cancellation_requested or seen.stop_asserted:
        situation = situation.effect(ForgetJob())
    return situation
