"""Jobs that have ended."""

from recon_api.resource import FINALIZER, FINISHED_LABEL
from recon_api.status import Phase
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision, ForgetJob, SetStopFlag
from recon_operator.decide.terminal_transitions import discard_files


def finished_jobs_stay_finished(context: Context) -> Context | Decision:
    """Leave a final phase as it is, and complete what a crash left undone: the files, the keys, the finalizer, the label."""
    if not context.status.phase.finished:
        return context
    metadata, seen = context.job.metadata, context.seen
    if FINALIZER not in metadata.finalizers and FINISHED_LABEL in metadata.labels:
        return context.decide(finished=True)
    if not seen.known and metadata.deletion_timestamp is None:
        return context.look_again_in(context.limits.retry_redis_s).decide()
    if seen.leased and seen.result is None:  # somebody else ended it, by the status: whatever runs has to stop
        return context.effect(SetStopFlag()).look_again_in(context.limits.stop_interval_s).decide()
    return (_cleared_up(context) if seen.known else context).decide(finalizer=False, finished=True)


def _cleared_up(context: Context) -> Context:
    seen = context.seen
    if context.status.phase is not Phase.SUCCEEDED:  # where it has, its worker has removed them
        context = discard_files(context)
    if seen.authorised is not None or seen.cancellation_requested or seen.stop_flag_set:
        context = context.effect(ForgetJob())
    return context
