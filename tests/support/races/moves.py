"""What may happen next in a world, each with how likely it is."""

import random
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from tests.support.races.gates import Verdict
from tests.support.races.story import Story
from tests.support.races.workers import Worker
from tests.support.races.world import World

FIRST_READS = 5
"""Commands of a job's read after which it may stand still."""

MEDDLING: tuple[dict[str, object], ...] = (
    {"phase": "Running"},
    {"phase": "Succeeded"},
    {"phase": "Queued"},
    {"executionAttempts": 0, "attempts": None, "taskID": None},
    {"executionAttempts": 7},
    {"executionAttempts": 7, "attempts": [{"number": 7}]},
    {"attempts": []},
    {"cancellation": None},
    {"startTime": "2099-01-01T00:00:00Z"},
)
"""What people write into a status."""


class Move(NamedTuple):
    """Something that may happen."""

    weight: float
    make: Callable[[], object]


def moves_of_operator(world: World, rng: random.Random) -> Iterator[Move]:
    """Yield what the operator may do, as planned."""
    operator = world.operator
    if standing := operator.stands_at:
        yield Move(30, lambda: world.operate(rng.randrange(len(standing))))
        if "redis read" in standing:
            place = standing.index("redis read")
            yield Move(2, lambda: world.operate(place, tear_at=rng.randint(1, FIRST_READS)))
    if operator.may_turn:
        yield Move(12 if operator.is_due else 0.5, world.turn)
    if operator.owes_stops:
        yield Move(3, world.stop_late)
    if world.events:
        yield Move(12, world.hear_event)
    if world.notices:
        yield Move(6, world.hear_notice)


def faults_of_operator(world: World, rng: random.Random) -> Iterator[Move]:
    """Yield what may go wrong with the operator, its calls and what it hears."""
    operator = world.operator
    if standing := operator.stands_at:
        verdict = rng.choice((Verdict.REFUSED, Verdict.LOST))
        yield Move(2, lambda: world.operate(rng.randrange(len(standing)), verdict))
    if world.events:
        yield Move(1, lambda: world.hear_event(rng.randrange(len(world.events))))
        yield Move(1, lambda: world.lose_event(rng.randrange(len(world.events))))
        yield Move(1, lambda: world.double_event(rng.randrange(len(world.events))))
    if world.notices:
        yield Move(1, lambda: world.lose_notice(rng.randrange(len(world.notices))))
    yield Move(1, world.replace_operator)
    yield Move(0.5, world.relist)
    yield Move(3 if operator.redis.down else 0.5, world.turn_operators_redis)


def moves_of_workers(world: World, rng: random.Random) -> Iterator[Move]:
    """Yield what workers may do."""
    for worker in world.workers:
        if worker.acts and (worker.process or worker.burial):
            yield Move(25, partial(world.work, worker))
        if worker.acts and worker.process is not None and worker.process.may_beat:
            yield Move(2, partial(world.begin_beat, worker))
        if worker.is_free and world.broker.waiting:
            yield Move(10, partial(world.deliver, worker, rng.choice(world.broker.waiting)))
        if not worker.alive:
            yield Move(4, partial(world.start_worker, worker))


def faults_of_workers(world: World, rng: random.Random) -> Iterator[Move]:
    """Yield what may go wrong with workers and their messages."""
    for worker in world.workers:
        yield from _faults_of_worker(world, worker)
    if world.broker.waiting:
        yield Move(0.5, lambda: world.lose_message(rng.choice(world.broker.waiting)))
    if world.broker.sent:
        yield Move(1, lambda: world.double_message(rng.choice(world.broker.sent)))
    yield Move(0.3, world.flush)


def _faults_of_worker(world: World, worker: Worker) -> Iterator[Move]:
    if not worker.alive:
        return
    if worker.process is not None:
        yield Move(0.5, partial(world.kill_child, worker))
        if not worker.leaving:
            yield Move(0.3, partial(world.leave, worker))
    yield Move(0.3, partial(world.kill_worker, worker))
    yield Move(2 if worker.frozen else 0.5, partial(world.freeze, worker))
    yield Move(2 if worker.cut_off else 0.5, partial(world.cut_off, worker))


def meddling(world: World, story: Story, rng: random.Random) -> Iterator[Move]:
    """Yield what people should not do to a job."""
    if world.job(story) is not None:
        yield Move(0.3, lambda: world.meddle(story, **rng.choice(MEDDLING)))


def time(world: World, rng: random.Random) -> Iterator[Move]:
    """Yield that time passes."""
    yield Move(3, lambda: world.pass_time(rng.choice((0.2, 1, 5, 5, 10))))
    yield Move(0.6, lambda: world.pass_time(rng.choice((20, 30, 60))))


def jumps(world: World, rng: random.Random) -> Iterator[Move]:
    """Yield that the time of day jumps."""
    yield Move(0.2, lambda: world.jump(rng.choice((-3600, -30, -5, 5, 30, 3600))))
