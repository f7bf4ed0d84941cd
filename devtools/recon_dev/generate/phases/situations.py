"""The columns: every situation that a job can be in, each reached by what leads to it in life."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from recon_api.status import Phase
from recon_dev.generate.phases import scenarios
from recon_dev.generate.phases.world import World, new_world, settle

Scenario = Callable[[World], World | None]


@dataclass(frozen=True)
class Situation:
    """A column."""

    title: str
    phase: Phase
    way: tuple[Scenario, ...]
    """What has happened since the job was created; the operator has looked at it after each."""
    seen: bool = True
    """Whether the operator has looked at all."""

    told_to_stop: bool = False
    """Whether its attempt is told to stop."""

    def draws(self, scenario: Scenario) -> bool:
        """Say whether the diagram shows what comes of this: first things first, and once told to stop, that it stops."""
        if not self.seen:
            return scenario is scenarios.looked_at
        return self.told_to_stop == (scenario is scenarios.stopped)

    def reach(self, spec: dict[str, Any]) -> World | None:
        """Return the world of a job with this spec, or nothing where it does not come into this situation."""
        world = new_world(spec)
        if not self.seen:
            return world
        world = settle(world).world
        for scenario in self.way:
            after = scenario(world)
            if after is None:
                return None
            world = settle(after).world
        return world if world.phase is self.phase else None


RUN = (scenarios.admitted, scenarios.claimed, scenarios.reported)

SITUATIONS = (
    Situation("Pending", Phase.PENDING, (), seen=False),
    Situation("Queued", Phase.QUEUED, ()),
    Situation("Queued, sent", Phase.QUEUED, (scenarios.admitted,)),
    Situation("Running", Phase.RUNNING, RUN),
    Situation("Running, told to stop", Phase.RUNNING, (*RUN, scenarios.suspended), told_to_stop=True),
    Situation("Suspended", Phase.SUSPENDED, (*RUN, scenarios.suspended, scenarios.stopped)),
    Situation("Retrying", Phase.RETRYING, (*RUN, scenarios.failed)),
    Situation("Cancelling", Phase.CANCELLING, (*RUN, scenarios.confirmed), told_to_stop=True),
)

ENDS = (
    Situation("Succeeded", Phase.SUCCEEDED, (*RUN, scenarios.completed)),
    Situation("Failed", Phase.FAILED, (*RUN, scenarios.mistaken)),
    Situation("Cancelled", Phase.CANCELLED, (*RUN, scenarios.confirmed, scenarios.stopped)),
)
"""Alike in everything, so they share a column."""
