"""What a status says of the spec it speaks of."""

from recon_operator.decide.context import Situation
from recon_operator.decide.decision import Decision


def the_spec_is_noted(situation: Situation) -> Situation | Decision:
    """Note the spec's generation, and the model that the job is given."""
    return situation.change(
        observed_generation=situation.job.metadata.generation,
        model=situation.status.model or situation.job.spec.model or situation.limits.default_model,
    )
