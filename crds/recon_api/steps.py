"""The six steps that a person sees, and where each ends on the way to 100 percent."""

from enum import StrEnum


class Step(StrEnum):
    """One of the six steps of every job, in order."""

    LOADING = "Loading input files"
    PREPROCESSING = "Preprocessing images"
    RECONSTRUCTION = "Running reconstruction"
    POST_PROCESSING = "Post-processing mesh"
    PREVIEWS = "Generating previews"
    FINALIZING = "Finalizing output"

    @property
    def start_percentage(self) -> int:
        """Percentage at which the step begins: where the one before it ends."""
        return ([0] + [END_PERCENTAGE[step] for step in Step])[list(Step).index(self)]

    @property
    def end_percentage(self) -> int:
        """Percentage at which the step is done."""
        return END_PERCENTAGE[self]


END_PERCENTAGE: dict[Step, int] = {
    Step.LOADING: 10,
    Step.PREPROCESSING: 20,
    Step.RECONSTRUCTION: 60,
    Step.POST_PROCESSING: 80,
    Step.PREVIEWS: 90,
    Step.FINALIZING: 100,
}
"""Where each step ends. A worker reports finer values in between."""
