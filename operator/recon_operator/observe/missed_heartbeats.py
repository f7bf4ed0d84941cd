"""For how long no sign of an attempt was found, counted over successful reads only."""

from dataclasses import dataclass


@dataclass(frozen=True)
class _Stretch:
    """A stretch of reads that found nothing of one attempt."""

    attempt: int
    start: float
    last: float


class MissedHeartbeats:
    """Since when each job's latest attempt has been silent.

    A read that failed, or a gap between two reads, proves nothing: the clock of the attempt starts again.
    """

    def __init__(self, longest_gap_s: float) -> None:
        """Count a silence on only over reads that are at most `longest_gap_s` apart."""
        self._longest_gap_s = longest_gap_s
        self._stretches: dict[str, _Stretch] = {}

    def record(self, uid: str, attempt: int, now: float, *, alive: bool) -> float:
        """Record a successful read at `now` (seconds of any steady clock); return for how long there has been silence."""
        if alive:
            self.forget(uid)
            return 0.0
        known = self._stretches.get(uid)
        if known is None or known.attempt != attempt or now - known.last > self._longest_gap_s:
            known = _Stretch(attempt, now, now)
        self._stretches[uid] = _Stretch(attempt, known.start, now)
        return now - known.start

    def forget(self, uid: str) -> None:
        """Start again for one job: its message was just sent, or it has ended."""
        self._stretches.pop(uid, None)

    def reset(self) -> None:
        """Start again for all: Redis did not answer."""
        self._stretches.clear()
