"""Corrections of finished jobs: each job once, its latest version, however often it is shown."""

import asyncio
from contextlib import suppress

import pytest

from recon_api.resource import ReconstructionJob
from recon_operator.cleanup.correction import Correction
from recon_operator.clients.kubernetes_api import ConflictError, KubernetesError, RefusedError
from tests.operator.builders import make_job


class World:
    """A correction that fails as it is told to; what it was asked to correct is kept."""

    def __init__(self, *errors: KubernetesError) -> None:
        self.errors, self.corrected = list(errors), list[str]()
        self.shown_meanwhile: list[ReconstructionJob] = []
        self.correction = Correction(lambda job: job.metadata.generation > 1, self.correct)

    async def correct(self, job: ReconstructionJob) -> None:
        self.corrected.append(job.metadata.resource_version)
        if self.shown_meanwhile:
            self.correction.seen(self.shown_meanwhile.pop(0))
        if self.errors:
            raise self.errors.pop(0)

    async def turn(self) -> None:
        """Let it correct what it can."""
        running = asyncio.create_task(self.correction.run())
        for _ in range(10):
            await asyncio.sleep(0)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def behind(version: int) -> ReconstructionJob:
    return make_job(generation=2, resource_version=str(version))


async def test_the_latest_version_is_corrected_once() -> None:
    world = World()
    for version in (7, 8, 9):
        world.correction.seen(behind(version))
    await world.turn()
    assert world.corrected == ["9"]


async def test_a_refused_job_that_is_shown_again_waits_all_the_same() -> None:
    world = World(RefusedError("403: no"))
    world.correction.seen(behind(7))
    await world.turn()
    for version in (8, 9):
        world.correction.seen(behind(version))
        await world.turn()
    assert world.corrected == ["7"]


async def test_a_job_that_has_changed_meanwhile_is_corrected_as_it_is_shown_then() -> None:
    world = World(ConflictError("409"))
    world.correction.seen(behind(7))
    await world.turn()
    world.correction.seen(behind(8))
    await world.turn()
    assert world.corrected == ["7", "8"]


@pytest.mark.parametrize(
    ("error", "corrected"),
    [
        pytest.param((ConflictError("409"),), ["7", "8"], id="the write came too late"),
        pytest.param((), ["7", "8"], id="the write was taken"),
        pytest.param((RefusedError("403: no"),), ["7"], id="the write was refused, and waits"),
    ],
)
async def test_a_job_that_changes_during_the_write_is_corrected_as_it_is_by_then(
    error: tuple[KubernetesError, ...], corrected: list[str]
) -> None:
    world = World(*error)
    world.shown_meanwhile = [behind(8)]
    world.correction.seen(behind(7))
    await world.turn()
    assert world.corrected == corrected


async def test_a_job_that_was_put_right_meanwhile_is_left_alone() -> None:
    world = World()
    world.correction.seen(behind(7))
    world.correction.seen(make_job(resource_version="8"))
    await world.turn()
    assert world.corrected == []
