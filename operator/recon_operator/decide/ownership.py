"""`spec.managedBy`: jobs that another controller looks after."""

from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision


def jobs_of_other_controllers_are_left_alone(situation: Situation) -> Situation | Decision:
    """Change nothing of a job that names another controller."""
    return situation if situation.job.is_ours else situation.decide()
