"""`spec.managedBy`: jobs that another controller looks after."""

from recon_api.resource import MANAGED_BY_US, ReconstructionJob
from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision


def is_ours(job: ReconstructionJob) -> bool:
    """Say whether this operator looks after the job."""
    return job.spec.managed_by in (None, MANAGED_BY_US)


def jobs_of_other_controllers_are_left_alone(situation: Situation) -> Situation | Decision:
    """Change nothing of a job that names another controller."""
    return situation if is_ours(situation.job) else situation.decide()
