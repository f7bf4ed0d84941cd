"""Jobs whose spec this version of the operator cannot read: written under a newer definition, or an older one."""

from recon_api.reasons import INVALID_SPEC
from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision
from recon_operator.decide.terminal_transitions import fail


def unreadable_jobs_fail(context: Context) -> Context | Decision:
    """End a job rather than begin an attempt of something else than what its owner asks for.

    An attempt that was sent before goes on: what it was given could be read, and has not changed since.
    """
    problem = context.observation.spec_problem
    return fail(context, INVALID_SPEC, problem) if problem and context.attempt is None else context
