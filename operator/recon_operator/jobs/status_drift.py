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

from recon_api.status import FINAL_PHASES, ReconstructionJobStatus
from recon_operator.jobs.status_patch import dump, merge_patch


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


def _with_what_stays(known: ReconstructionJobStatus, shown: ReconstructionJobStatus) -> ReconstructionJobStatus:
    """Return the known status with what the API server does not let anybody take back: how the job ended.

    Whoever waits for such a condition has seen it, so from then on it is true.
    """
    held = {condition.type for condition in known.final_conditions}
    forged = [condition for condition in shown.final_conditions if condition.type not in held]
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
