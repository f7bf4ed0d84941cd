"""Whose a job is: another controller's by `spec.managedBy`, or this installation's by `status.operator`."""

from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision


def jobs_of_other_controllers_are_left_alone(context: Context) -> Context | Decision:
    """Change nothing of a job that names another controller."""
    return context if context.job.is_ours else context.decide()


def jobs_name_their_operator(context: Context) -> Context | Decision:
    """Name this installation in the status; the jobs of others, but for those that it takes over, never come so far."""
    identity = context.limits.installation
    return context.change(operator=identity) if identity else context
