"""What tools and people read at a glance, made of the rest of a status at the end of each decision.

Tools that wait for objects of any kind, such as Helm and Flux, read the conditions Ready, Reconciling and Stalled (the rules
of kstatus). Finished serves `kubectl wait`, which waits for one condition, whatever the end. `kubectl get` shows texts.
"""

from datetime import datetime

from recon_api.reasons import PROGRESSING
from recon_api.status import (
    EPOCH,
    FINAL_PHASES,
    Condition,
    ConditionStatus,
    ConditionType,
    Phase,
    Progress,
    ReconstructionJobStatus,
)
from recon_operator.decide.conditions import following

SUMMARY = (ConditionType.READY, ConditionType.RECONCILING, ConditionType.STALLED, ConditionType.FINISHED)

UNITS_S = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
SHOWN_UNITS = 2


def with_summary(status: ReconstructionJobStatus, generation: int, now: datetime) -> ReconstructionJobStatus:
    """Return the status with the conditions and texts that sum up the rest of it, for this generation of the spec."""
    summed = _ended(status) if status.phase.finished else _open(status)
    conditions = tuple(_dated(condition, status, generation, now) for condition in summed)
    others = tuple(condition for condition in status.conditions if condition.type not in SUMMARY)
    return status.model_copy(
        update={"conditions": (*others, *conditions), "progress": status.progress and with_texts(status.progress)}
    )


def with_texts(progress: Progress) -> Progress:
    """Return the progress with its numbers as `kubectl get` shows them."""
    left_s = progress.estimated_remaining_seconds
    remaining = "" if left_s is None else duration_text(left_s)
    return progress.model_copy(update={"percent": f"{progress.percentage}%", "remaining": remaining})


def duration_text(seconds: int) -> str:
    """Return a duration by its two largest units, such as 1h5m or 40s."""
    parts: list[str] = []
    for unit_s, unit in UNITS_S:
        count, seconds = divmod(seconds, unit_s)
        if count or (unit_s == 1 and not parts):
            parts.append(f"{count}{unit}")
        elif parts:
            break
    return "".join(parts[:SHOWN_UNITS])


def _open(status: ReconstructionJobStatus) -> tuple[Condition, ...]:
    """Return the conditions of a job that has not ended: not ready, and being worked on."""
    message = status.message or PROGRESSING.meaning
    return (
        _condition(ConditionType.READY, PROGRESSING.name, message, ConditionStatus.FALSE),
        _condition(ConditionType.RECONCILING, PROGRESSING.name, message),
    )


def _ended(status: ReconstructionJobStatus) -> tuple[Condition, ...]:
    """Return the conditions of a job that has ended: ready if it has succeeded, else stalled for good."""
    final = next((c for c in status.conditions if FINAL_PHASES.get(c.type) is status.phase), None)
    if final is None:
        return tuple(c for c in status.conditions if c.type in SUMMARY)
    finished = _condition(ConditionType.FINISHED, final.reason, final.message)
    if status.phase is Phase.SUCCEEDED:
        return _condition(ConditionType.READY, final.reason, final.message), finished
    return (
        _condition(ConditionType.READY, final.reason, final.message, ConditionStatus.FALSE),
        _condition(ConditionType.STALLED, final.reason, final.message),
        finished,
    )


def _condition(
    kind: ConditionType, reason: str, message: str, status: ConditionStatus = ConditionStatus.TRUE
) -> Condition:
    return Condition(type=kind, status=status, reason=reason, message=message, last_transition_time=EPOCH)


def _dated(condition: Condition, before: ReconstructionJobStatus, generation: int, now: datetime) -> Condition:
    """Return a condition of this generation as it follows the one before; the default of an unseen job is none."""
    dated = {"last_transition_time": now.replace(microsecond=0), "observed_generation": generation}
    old = before.condition(condition.type)
    return following(old if old and old.observed_generation > 0 else None, condition.model_copy(update=dated))
