"""What a pass knows of the world outside a job's resource, as plain values; `observe.observer` alone makes it."""

from dataclasses import dataclass, replace
from datetime import datetime

from recon_api.payload import AttemptResult, ClaimOwner, ProgressMeta
from recon_operator.estimates.step_estimates import StepEstimates
from recon_operator.estimates.step_timer import StepDurations

NO_STEP_DURATIONS = StepDurations()


@dataclass(frozen=True)
class Observation:
    """What Redis, the workers' registry and the queue say of one job, read at one moment."""

    known: bool = True
    """Whether Redis answered. Where it did not, the fields up to `silent_s` say nothing."""
    refusal: str = ""
    """What Redis said where it refused the operator, such as for a wrong password; empty where it only is away."""
    attempt: int = 0
    """The attempt that the fields below speak of; 0 where the job has had none."""
    authorised: int | None = None
    """The only attempt that workers may run (`attempt:{uid}`); 0 while none may. Read before `claim`."""
    claim: ClaimOwner | None = None
    """Which process took the attempt."""
    leased: bool = False
    """Whether that process lives, by its lease."""
    owner_restarted: bool = False
    """Whether the claim's worker has registered again since, as another process."""
    result: AttemptResult | None = None
    """How the attempt ended."""
    progress: ProgressMeta | None = None
    """What the attempt reported last."""
    step_durations: StepDurations = NO_STEP_DURATIONS
    """For how long the attempt has been at its step, and how long the steps before it took."""
    step_estimates: StepEstimates | None = None
    """How long its steps are likely to take, by finished jobs like it, where there are any."""
    waits_in_queue: bool = False
    """Whether the attempt's message is in the workers' queue."""
    cancellation_requested: bool = False
    """Whether the flag of the first step is set."""
    stop_flag_set: bool = False
    """Whether the flag of the second step was set, read before `claim`: whoever claims later sees it and refuses."""
    silent_s: float = 0.0
    """For how long successful reads have found no sign of the attempt: no message, no lease, no result."""
    unsent: bool = False
    """Whether this operator knows that it has not sent the attempt's message."""
    unsent_because: str = ""
    """What Redis said where it did not take the attempt; empty where it has not been tried, or has taken it."""
    admitted: bool = False
    """Whether a worker will be free for the job: it may be sent now."""
    position: int | None = None
    """Its place among those that wait, 1 being next."""
    starts_at: datetime | None = None
    """When a worker is likely to take it, where that can be said."""
    workers: int = 0
    """How many workers of its gpuClass are connected."""
    spec_problem: str = ""
    """What of the spec this version cannot read, as a sentence; empty where it can read all of it."""

    def of_attempt(self, number: int) -> "Observation":
        """Return the same, without what it says of any attempt but this one."""
        if self.attempt == number:
            return self
        return replace(
            self,
            attempt=number,
            claim=None,
            leased=False,
            owner_restarted=False,
            result=None,
            progress=None,
            step_durations=NO_STEP_DURATIONS,
            waits_in_queue=False,
            silent_s=0.0,
            unsent=False,
            unsent_because="",
        )
