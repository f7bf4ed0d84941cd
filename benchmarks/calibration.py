"""How near told times come to the truth: the arithmetic, without any server."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

POINTS = (0.1, 0.25, 0.5, 0.75)
"""Shares of a run, or of a wait, at which what is told is compared with what came."""


@dataclass(frozen=True)
class Told:
    """Something that a status said from one moment on."""

    at: float
    """When a watcher saw it; seconds since the epoch, as all times here."""
    end: float | None
    """When it says that the wait or the run will be over; nothing where it does not say so."""


@dataclass(frozen=True)
class Trace:
    """All that was told of one wait or run."""

    name: str
    begin: float
    end: float
    told: tuple[Told, ...]

    def told_at(self, share: float) -> float | None:
        """Return the seconds left that a person reads off the status at this share of the time, if it says any."""
        at = self.begin + share * (self.end - self.begin)
        latest = [told for told in self.told if told.at <= at]
        return max(latest[-1].end - at, 0.0) if latest and latest[-1].end is not None else None

    def error(self, share: float) -> float | None:
        """Return by how much what is told at this share is off, as a fraction of what is left: above 0 is too much."""
        told_s, left_s = self.told_at(share), (1.0 - share) * (self.end - self.begin)
        return None if told_s is None or left_s <= 0 else (told_s - left_s) / left_s

    @property
    def largest_jump(self) -> float:
        """By how much the told end moved at once at most, as a fraction of the whole."""
        ends = [told.end for told in self.told if told.end is not None]
        jumps = [abs(later - earlier) for earlier, later in pairwise(ends)]
        return max(jumps, default=0.0) / max(self.end - self.begin, 0.001)


def calibration(traces: Sequence[Trace]) -> dict[str, Any]:
    """Return median and 90th percentile of the error at each point, its bias (median with its sign), and the jumps."""
    errors = {share: [error for trace in traces if (error := trace.error(share)) is not None] for share in POINTS}
    points = {f"{share:.0%}": _summary(found, len(traces)) for share, found in errors.items()}
    return {
        "runs": len(traces),
        "all": _summary([error for found in errors.values() for error in found], len(traces) * len(POINTS)),
        "at": points,
        "largest_jump": {
            "p50": _rounded(statistics.median, [trace.largest_jump for trace in traces]),
            "max": _rounded(max, [trace.largest_jump for trace in traces]),
        },
    }


def _summary(errors: Sequence[float], asked: int) -> dict[str, float | None]:
    return {
        "p50": _rounded(statistics.median, map(abs, errors)),
        "p90": _rounded(_p90, map(abs, errors)),
        "bias": _rounded(statistics.median, errors),
        "said": round(len(errors) / asked, 3) if asked else None,
    }


def _rounded(of: Callable[[list[float]], float], values: Iterable[float]) -> float | None:
    found = list(values)
    return round(of(found), 3) if found else None


def _p90(values: list[float]) -> float:
    return statistics.quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]


def seconds(time: str) -> float:
    """Return a time of Kubernetes in seconds since the epoch."""
    return datetime.fromisoformat(time).timestamp()
