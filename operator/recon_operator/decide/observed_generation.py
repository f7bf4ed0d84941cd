"""What a status says of the spec it speaks of."""

from recon_operator.decide.context import Context
from recon_operator.decide.decision import Decision


def the_spec_is_recorded(context: Context) -> Context | Decision:
    """Record the spec's generation, and the model that the job is given."""
    return context.change(
        observed_generation=context.job.metadata.generation,
        model=context.status.model or context.job.spec.model or context.limits.default_model,
    )
