"""Which status of a job is true: the one that this operator wrote last, or saw first. Pure: values in, values out.

The operator alone writes `.status`. Whatever else stands there was written by somebody else: decisions rest on the
true status all the same, and the next write sets it right.

With two operators at once each takes the other's writes for somebody else's and undoes them: the status flickers. No
attempt runs twice even then: the number that the other one has authorised stands in Redis (`decide.consistency`), and
of one number one copy is ever claimed. But only one is to write.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from recon_api.status import Condition, ConditionStatus, ConditionType, Phase, ReconstructionJobStatus
from recon_operator.jobs.status_patch import dump, merge_patch

FINAL_PHASES = {
    ConditionType.COMPLETE: Phase.SUCCEEDED,
    ConditionType.FAILED: Phase.FAILED,
    ConditionType.CANCELLED: Phase.CANCELLED,
}
"""The conditions that say how a job ended, and the phase that goes with each."""


@dataclass(frozen=True)
class Edit:
    """A status that somebody else has written."""

    resource_version: str
    """Version of the job that shows it."""
    status: dict[str, Any]
    """As it stands there."""
    fields: tuple[str, ...]
    """What of it is not true."""


def true_status(
    shown: ReconstructionJobStatus,
    known: ReconstructionJobStatus,
    writing: Collection[ReconstructionJobStatus] = (),
) -> ReconstructionJobStatus:
    """Return what is true of a job that shows this status, and of which that one was true before.

    What we are writing is ours as well: its event can come before the answer, and the answer can be lost.
    """
    if shown == known or shown in writing:
        return shown
    return _with_what_stays(known, shown)


def edited_fields(status: dict[str, Any], true: ReconstructionJobStatus) -> tuple[str, ...]:
    """Return which fields right below `status`, as it stands there, are not as they truly are."""
    return tuple(sorted(merge_patch(status, dump(true))))


def final_conditions(status: ReconstructionJobStatus) -> tuple[Condition, ...]:
    """Return the conditions that say how a job ended; one, unless somebody else set them."""
    return tuple(c for c in status.conditions if c.type in FINAL_PHASES and c.status is ConditionStatus.TRUE)


def _with_what_stays(known: ReconstructionJobStatus, shown: ReconstructionJobStatus) -> ReconstructionJobStatus:
    """Return the known status with what the API server does not let anybody take back: how the job ended.

    Whoever waits for such a condition has seen it, so from then on it is true.
    """
    held = {condition.type for condition in final_conditions(known)}
    forged = [condition for condition in final_conditions(shown) if condition.type not in held]
    if not forged:
        return known
    kinds = {condition.type for condition in forged}
    phase = next((p for p in (shown.phase, known.phase) if p.finished), FINAL_PHASES[forged[0].type])
    return known.model_copy(
        update={
            "phase": phase,
            "completion_time": known.completion_time or forged[0].last_transition_time,
            "conditions": (*(c for c in known.conditions if c.type not in kinds), *forged),
        }
    )
