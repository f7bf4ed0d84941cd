"""Two events that meet: a job is brought to where both can happen, then they do, and everything else goes on as it may."""

import random
from collections.abc import Callable
from itertools import chain

from tests.support.races import moves
from tests.support.races.events import PAIRS, Event
from tests.support.races.fates import STEPS, Fate
from tests.support.races.moves import Move
from tests.support.races.settling import settle
from tests.support.races.workers import Worker
from tests.support.races.world import World

OF_WORKERS = frozenset({Event.FINISH, Event.FAIL, Event.LOSE})
"""Events that need an attempt that runs."""

LAST_STEP = f"computes {STEPS[-1]}"
MOST_MOVES = 400
"""What has not been reached by then is left to chance."""


FAULTY = 0.5
"""Share of the races in which anything may go wrong besides."""

MEDDLED = 0.1
"""Share of these in which people write into the status, too."""


class Race:
    """One race: the same seed, the same race."""

    def __init__(self, world: World, seed: int) -> None:
        self._world, self._rng = world, random.Random(seed)
        self._faulty = self._rng.random() < FAULTY
        self._meddled = self._rng.random() < MEDDLED
        self.pair = PAIRS[seed % len(PAIRS)]
        self.events = sorted(self.pair)
        self._rng.shuffle(self.events)
        self.story = world.submit(self._fate(), **({"suspend": True} if self._begins_held() else {}))

    def run(self) -> None:
        """Run it to its end. Raises Wrong."""
        self._prepare()
        for event in self.events:
            self._world.note(f"--- {event}")
            self._fire(event)
            self._move(self._rng.choice((0, 0, 1, 2, 4, 8)))
        self._world.note("--- and on")
        self._move(self._rng.randrange(30))
        settle(self._world)

    # --- before ------------------------------------------------------------------------------------------------------

    def _fate(self) -> Fate:
        if Event.FAIL in self.pair:
            return Fate(self._rng.choice(("out of memory", "bad photos")), times=self._rng.choice((1, 3)))
        if Event.RETRY in self.pair and not OF_WORKERS & self.pair:
            return Fate("out of memory")
        if Event.FINISH in self.pair:
            return Fate()
        return Fate(self._rng.choice(("complete", "complete", "complete", "hangs")), STEPS[1])

    def _begins_held(self) -> bool:
        return Event.RESUME in self.pair and not OF_WORKERS & self.pair and self._rng.random() < 0.5

    def _prepare(self) -> None:
        if self.pair & OF_WORKERS:
            self._until(lambda: self._runner() is not None, "no attempt runs")
        elif Event.RETRY in self.pair:
            self._until(lambda: self.story.fate.struck > 0, "no attempt fails")
        else:
            self._move(self._rng.randrange(40))
        if self.pair & {Event.FINISH, Event.FAIL}:
            self._until(self._is_at_last_step, "it does not come so far")
        if Event.RETRY in self.pair and self.pair & {Event.FINISH, Event.FAIL}:
            self._lose_sight()
        if self.pair & {Event.WITHDRAW, Event.CONFIRM} and Event.REQUEST not in self.pair:
            self._world.change(self.story, cancellation="Requested")
            self._move(self._rng.choice((0, 3, 12)))
        if Event.RESUME in self.pair and Event.SUSPEND not in self.pair:
            self._world.change(self.story, suspend=True)
            self._move(self._rng.choice((0, 3, 12)))

    def _lose_sight(self) -> None:
        """Have the worker stand still until the operator takes it for dead."""
        if (runner := self._runner()) is not None and not runner.frozen:
            self._world.freeze(runner)

    # --- the events ----------------------------------------------------------------------------------------------

    def _fire(self, event: Event) -> None:
        """Have an event begin, if it can."""
        world, story = self._world, self.story
        match event:
            case Event.REQUEST:
                world.change(story, cancellation="Requested")
            case Event.WITHDRAW:
                world.change(story, cancellation=None)
            case Event.CONFIRM:
                world.change(story, cancellation="Confirmed")
            case Event.SUSPEND:
                world.change(story, suspend=True)
            case Event.RESUME:
                world.change(story, suspend=False)
            case Event.DELETE:
                world.delete(story)
            case Event.FINISH | Event.FAIL | Event.LOSE:
                self._fire_worker(event)
            case Event.RETRY:
                self._until(lambda: world.meetings.is_open(Event.RETRY), "no attempt follows")
        world.look()

    def _fire_worker(self, event: Event) -> None:
        world, runner = self._world, self._runner()
        if runner is None:
            return
        if runner.frozen:
            world.freeze(runner)
        if event is Event.LOSE:
            self._rng.choice((world.kill_worker, world.freeze))(runner)
        elif event is Event.FAIL and (Event.FINISH in self.pair or self._rng.random() < 0.3):
            world.kill_child(runner)
        else:
            while runner.is_busy and not world.meetings.is_open(event):
                world.work(runner)
                world.look()

    def _runner(self) -> Worker | None:
        """Return the worker that has begun to compute the job."""
        workers = self._world.workers
        return next((w for w in workers if w.alive and w.process is not None and w.process.computes), None)

    def _is_at_last_step(self) -> bool:
        runner = self._runner()
        return runner is None or runner.process is None or runner.process.at == LAST_STEP

    # --- in between --------------------------------------------------------------------------------------------------

    def _until(self, holds: Callable[[], bool], otherwise: str) -> None:
        """Let things go their way, nothing going wrong, until something holds."""
        world = self._world
        for _ in range(MOST_MOVES):
            if holds():
                return
            if world.is_busy:
                self._make([*moves.moves_of_operator(world, self._rng), *moves.moves_of_workers(world, self._rng)])
            else:
                world.pass_time(world.until_next_turn_s)
        world.note(f"  ({otherwise})")

    def _move(self, count: int) -> None:
        """Let so many things happen, and go wrong where that is to be."""
        for _ in range(count):
            self._make(self._possible())

    def _possible(self) -> list[Move]:
        world, rng = self._world, self._rng
        found = chain(moves.moves_of_operator(world, rng), moves.moves_of_workers(world, rng), moves.time(world, rng))
        if not self._faulty:
            return list(found)
        faults = chain(
            moves.faults_of_operator(world, rng), moves.faults_of_workers(world, rng), moves.jumps(world, rng)
        )
        meddling = moves.meddling(world, self.story, rng) if self._meddled else ()
        return [*found, *faults, *meddling]

    def _make(self, found: list[Move]) -> None:
        self._rng.choices(found, [move.weight for move in found])[0].make()
        self._world.look()
