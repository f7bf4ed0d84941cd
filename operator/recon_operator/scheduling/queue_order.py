"""Which waiting jobs are sent to the workers, and in which place the others wait. Pure: values in, values out."""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from recon_api.resource import ReconstructionJob

SENT_PER_WORKER = 2
"""One that runs and one that waits in Redis, so that no worker idles; the rest stay where priority still counts."""

EXACT_POSITIONS = 10
"""Places up to this one are reported exactly; later ones rounded up, so that few statuses change as the queue moves."""


@dataclass(frozen=True)
class Plan:
    """What the queue looks like at one moment."""

    admitted: Mapping[str, int] = field(default_factory=dict)
    """Rank of each job to be sent now, by UID; the job of rank 0 is sent first."""
    positions: Mapping[str, int] = field(default_factory=dict)
    """Place of each other waiting job in its gpuClass, 1 being next, as `reported_position` says it."""
    order: tuple[str, ...] = ()
    """UIDs of all waiting jobs, the first to be sent first."""


def plan(
    waiting: Sequence[ReconstructionJob], occupying: Iterable[ReconstructionJob], workers: int, reserved: int = 0
) -> Plan:
    """Plan one gpuClass: `waiting` jobs, those `occupying` its `workers`, and slots `reserved` for jobs on their way."""
    running: defaultdict[str, int] = defaultdict(int)
    for job in occupying:
        running[job.metadata.namespace] += 1
    free = max(SENT_PER_WORKER * workers - sum(running.values()) - reserved, 0)
    ordered = in_order(waiting, running)
    positions = {uid: reported_position(place) for place, uid in enumerate(ordered[free:], start=1)}
    admitted = {uid: rank for rank, uid in enumerate(ordered[:free])}
    return Plan(admitted, positions, tuple(ordered))


def in_order(waiting: Iterable[ReconstructionJob], running: Mapping[str, int]) -> list[str]:
    """Return UIDs by priority, then by fair share across namespaces, then by age.

    Fair share: of equal priority, the next is the oldest job of the namespace with the fewest jobs `running` or taken.
    """
    by_priority: defaultdict[int, list[ReconstructionJob]] = defaultdict(list)
    for job in waiting:
        by_priority[job.spec.priority].append(job)
    taken: defaultdict[str, int] = defaultdict(int, running)
    ordered: list[str] = []
    for priority in sorted(by_priority, reverse=True):
        ordered += _fair_order(by_priority[priority], taken)
    return ordered


def reported_position(place: int) -> int:
    """Return a place (1 is next) as a status reports it: exact up to 10, then rounded up to one digit."""
    step = 1
    while place > EXACT_POSITIONS * step:
        step *= 10
    return -(-place // step) * step


def _fair_order(jobs: list[ReconstructionJob], taken: defaultdict[str, int]) -> list[str]:
    lines: defaultdict[str, list[ReconstructionJob]] = defaultdict(list)
    for job in sorted(jobs, key=_age, reverse=True):
        lines[job.metadata.namespace].append(job)  # the oldest is last, where it is popped
    heads = [(taken[namespace], _age(line[-1]), namespace) for namespace, line in lines.items()]
    heapq.heapify(heads)
    ordered = []
    while heads:
        _, _, namespace = heapq.heappop(heads)
        ordered.append(lines[namespace].pop().uid)
        taken[namespace] += 1
        if lines[namespace]:
            heapq.heappush(heads, (taken[namespace], _age(lines[namespace][-1]), namespace))
    return ordered


def _age(job: ReconstructionJob) -> tuple[float, str]:
    """Return what orders jobs from the oldest to the newest; the UID settles a tie for good."""
    created = job.metadata.creation_timestamp
    return (created.timestamp() if created else 0.0, job.uid)
