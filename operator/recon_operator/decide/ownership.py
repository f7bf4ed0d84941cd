"""`spec.managedBy`: jobs that another controller looks after."""

from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision


def jobs_of_other_controllers_are_left_alone(context: Context) -> Context | Decision:
    """Change nothing of a job that names another controller."""
    return context if context.job.is_ours else context.decide()
