"""Two events of a job's life meet at random points: whatever wins, the job ends as the facts demand, and ends once.

The same seed is the same race. The other 8,000 of the 10,000 that a release needs: `make test-long`. One of them again:
`make test-long SEEDS=17-18`.
"""

import os
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.control_plane import ControlPlane
from tests.support.races.api_server import ApiServerStore, connected, make_namespace
from tests.support.races.clock import Clock
from tests.support.races.events import PAIRS, Pair
from tests.support.races.race import Race
from tests.support.races.servers import Servers, servers
from tests.support.races.world import World

FIRST, END = map(int, os.environ.get("SEEDS", "0-2000").split("-"))
BATCH = 500
"""Races of one test: about ten seconds of CPU."""

BATCHES = [range(first, min(first + BATCH, END)) for first in range(FIRST, END, BATCH)]

OTHERS = 1_000_000
"""Seeds from here on are for the smaller tests."""


def race(world: World, seed: int) -> Counter[Pair]:
    """Run a race; return which events have met."""
    with closing(world):
        try:
            Race(world, seed).run()
        except AssertionError as error:
            pytest.fail(f"seed {seed}:\n{error}", pytrace=False)
        return world.meetings.met


def in_memory(redis: Servers, seeds: Iterable[int]) -> Counter[Pair]:
    """Run races; return which events have met, and how often."""
    met: Counter[Pair] = Counter()
    for seed in seeds:
        met += race(World(redis, workers=2), seed)
    return met


@pytest.mark.parametrize("seeds", BATCHES, ids=lambda seeds: f"{seeds[0]} to {seeds[-1]}")
def test_the_facts_decide_how_a_race_ends(seeds: range) -> None:
    with servers() as redis:
        met = in_memory(redis, seeds)
    if len(seeds) == BATCH:
        assert set(met) == set(PAIRS)


def test_the_files_agree_with_the_status(tmp_path: Path) -> None:
    with servers() as redis:
        for seed in range(OTHERS, OTHERS + 200):
            race(World(redis, workers=2, files=tmp_path / str(seed)), seed)


def test_an_api_server_decides_no_otherwise(control_plane: ControlPlane) -> None:
    with servers() as redis, connected(control_plane, redis.loop) as api:

        def new_store(_: Clock) -> ApiServerStore:
            return ApiServerStore(api, redis.loop.run_until_complete(make_namespace(api)))

        for seed in range(OTHERS, OTHERS + 45):
            race(World(redis, workers=2, store=new_store, start=datetime.now(UTC)), seed)
