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

    def error_s(self, share: float) -> float | None:
        """Return by how many seconds what is told at this share is off: above 0, too much is told."""
        told_s = self.told_at(share)
        return None if told_s is None else told_s - (1.0 - share) * (self.end - self.begin)

    def error(self, share: float) -> float | None:
        """Return the same as a fraction of what is left."""
        error_s, left_s = self.error_s(share), (1.0 - share) * (self.end - self.begin)
        return None if error_s is None or left_s <= 0 else error_s / left_s

    @property
    def largest_jump(self) -> float:
        """By how much the told end moved at once at most, as a fraction of the whole."""
        ends = [told.end for told in self.told if told.end is not None]
        jumps = [abs(later - earlier) for earlier, later in pairwise(ends)]
        return max(jumps, default=0.0) / max(self.end - self.begin, 0.001)


def calibration(traces: Sequence[Trace]) -> dict[str, Any]:
    """Return median and 90th percentile of the error at each point, its bias (median with its sign), and the jumps."""
    points = {f"{share:.0%}": [(trace, share) for trace in traces] for share in POINTS}
    return {
        "runs": len(traces),
        "all": _summary([asked for point in points.values() for asked in point]),
        "at": {name: _summary(point) for name, point in points.items()},
        "largest_jump": {
            "p50": _rounded(statistics.median, [trace.largest_jump for trace in traces]),
            "max": _rounded(max, [trace.largest_jump for trace in traces]),
        },
    }


def _summary(asked: Sequence[tuple[Trace, float]]) -> dict[str, float | None]:
    errors = [error for trace, share in asked if (error := trace.error(share)) is not None]
    errors_s = [error for trace, share in asked if (error := trace.error_s(share)) is not None]
    return {
        "p50": _rounded(statistics.median, map(abs, errors)),
        "p90": _rounded(_p90, map(abs, errors)),
        "bias": _rounded(statistics.median, errors),
        "p50_s": _rounded(statistics.median, map(abs, errors_s)),
        "p90_s": _rounded(_p90, map(abs, errors_s)),
        "said": round(len(errors) / len(asked), 3) if asked else None,
    }


def _rounded(of: Callable[[list[float]], float], values: Iterable[float]) -> float | None:
    found = list(values)
    return round(of(found), 3) if found else None


def _p90(values: list[float]) -> float:
    return statistics.quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else values[0]


def seconds(time: str) -> float:
    """Return a time of Kubernetes in seconds since the epoch."""
    return datetime.fromisoformat(time).timestamp()
