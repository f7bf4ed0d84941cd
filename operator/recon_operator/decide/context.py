"""A job's context: what policies look at, and what the ones before them have already made of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from recon_api.reasons import Reason
from recon_api.resource import FINALIZER, ReconstructionJob
from recon_api.spec import Cancellation
from recon_api.status import Attempt, Condition, ConditionStatus, ConditionType, ReconstructionJobStatus
from recon_operator.decide.conditions import following
from recon_operator.decide.decision import Decision, Effect, Event
from recon_operator.decide.observation import Observation
from recon_operator.decide.policy_settings import PolicySettings

LONGEST_MESSAGE = 1024
"""Characters of a message in a status."""


def bounded(message: str) -> str:
    """Return a message that is not too long for a status: its beginning."""
    return message if len(message) <= LONGEST_MESSAGE else f"{message[: LONGEST_MESSAGE - 1]}…"


@dataclass(frozen=True)
class Context:
    """One job as it is, what is seen of it, the time, and the status as recorded so far. Every change gives a new one."""

    job: ReconstructionJob
    observation: Observation
    now: datetime
    limits: PolicySettings
    status: ReconstructionJobStatus
    effects: tuple[Effect, ...] = ()
    events: tuple[Event, ...] = ()
    look_again_at: datetime | None = None

    @cached_property
    def seen(self) -> Observation:
        """What is seen of the latest attempt, whichever that is by now."""
        return self.observation.of_attempt(self.status.execution_attempts)

    @property
    def attempt(self) -> Attempt | None:
        """The attempt that was sent and has not ended."""
        return self.status.open_attempt

    @property
    def timestamp(self) -> datetime:
        """Now, in whole seconds, as Kubernetes writes times."""
        return self.now.replace(microsecond=0)

    @property
    def stop_confirmed(self) -> bool:
        """Whether its owner has confirmed the cancellation."""
        return self.job.spec.cancellation is Cancellation.CONFIRMED

    def change(self, **fields: Any) -> "Context":
        """Return the context with these fields of the status changed."""
        return replace(self, status=self.status.model_copy(update=fields))

    def effect(self, *effects: Effect) -> "Context":
        """Return the context with these effects added."""
        return replace(self, effects=(*self.effects, *effects))

    def event(self, reason: Reason, message: str, *, warning: bool = False) -> "Context":
        """Return the context with an event added."""
        return replace(self, events=(*self.events, Event(reason, message, warning)))

    def look_again_in(self, delay_s: float) -> "Context":
        """Return the context, to be looked at again after so long, or earlier where that was said already."""
        return self.look_again(self.now + timedelta(seconds=max(delay_s, 0.0)))

    def look_again(self, at: datetime) -> "Context":
        """Return the context, to be looked at again at this time, or earlier where that was said already."""
        return replace(self, look_again_at=min(at, self.look_again_at) if self.look_again_at else at)

    def condition(self, kind: ConditionType, reason: Reason, message: str) -> "Context":
        """Return the context in which this condition holds."""
        return self._condition(kind, ConditionStatus.TRUE, reason, message)

    def end_condition(self, kind: ConditionType, reason: Reason, message: str) -> "Context":
        """Return the context in which this condition no longer holds, if it ever did."""
        old = self.status.condition(kind)
        if old is None or old.status is not ConditionStatus.TRUE:
            return self
        return self._condition(kind, ConditionStatus.FALSE, reason, message)

    def _condition(self, kind: ConditionType, status: ConditionStatus, reason: Reason, message: str) -> "Context":
        """Set a condition; its transition time moves only when its status does."""
        old = self.status.condition(kind)
        new = Condition(
            type=kind,
            status=status,
            reason=reason.name,
            message=bounded(message),
            last_transition_time=self.timestamp,
            observed_generation=self.job.metadata.generation,
        )
        new = following(old, new)
        if old is None:
            return self.change(conditions=(*self.status.conditions, new))
        if new is old:
            return self
        return self.change(conditions=tuple(new if c.type is kind else c for c in self.status.conditions))

    def decide(self, *, finalizer: bool | None = None, finished: bool = False) -> Decision:
        """Return the decision that the context has come to; without a word the finalizer stays as it is."""
        has_finalizer = FINALIZER in self.job.metadata.finalizers
        return Decision(
            status=self.status,
            finalizer=has_finalizer if finalizer is None else finalizer,
            finished=finished,
            effects=self.effects,
            events=self.events,
            look_again_at=self.look_again_at,
        )
