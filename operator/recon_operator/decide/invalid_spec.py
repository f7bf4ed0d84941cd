"""Jobs whose spec this version of the operator cannot read: written under a newer definition, or an older one."""

from recon_api.reasons import INVALID_SPEC
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision
from recon_operator.decide.terminal_transitions import fail


def unreadable_jobs_fail(situation: Situation) -> Situation | Decision:
    """End a job rather than begin an attempt of something else than what its owner asks for.

    An attempt that was sent before goes on: what it was given could be read, and has not changed since.
    """
    problem = situation.observation.spec_problem
    return fail(situation, INVALID_SPEC, problem) if problem and situation.attempt is None else situation
