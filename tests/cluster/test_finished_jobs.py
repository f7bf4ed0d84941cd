"""The watch of finished jobs and their removal, on a real API server, without an operator around them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from kubernetes.aio import config
from kubernetes.aio.client import ApiClient, Configuration

from recon_api.resource import FINISHED_LABEL, ReconstructionJob
from recon_operator.cleanup.output_removal import OutputRemoval
from recon_operator.cleanup.ttl import JobRemoval
from recon_operator.clients import kubernetes_api
from recon_operator.clients.celery_client import CeleryClient
from recon_operator.clients.fence import Fence
from recon_operator.clients.kubernetes_api import ConflictError, ExpiredError, GoneError, KubernetesApi
from recon_operator.clients.redis_state import RedisState
from recon_operator.jobs.cache import Jobs
from recon_operator.telemetry.metrics import Metrics
from recon_operator.watch.finished_jobs import FinishedJobs
from tests.support.control_plane import ControlPlane
from tests.support.finished import put_finished
from tests.support.jobs import Job
from tests.support.waiting import GENEROUS_S

HOUR_S, DAY_S = 3600, 86400
NOWHERE = "redis://127.0.0.1:1/0"
"""No job here takes outputs along, so nothing is asked of Redis."""


@pytest.fixture
async def api(control_plane: ControlPlane) -> AsyncIterator[KubernetesApi]:
    configuration = Configuration()
    await config.load_kube_config(
        str(control_plane.kubeconfig), client_configuration=configuration, persist_config=False
    )
    connected = KubernetesApi(ApiClient(configuration), Fence.always_open())
    yield connected
    await connected.close()


class Seen:
    """What the watch has shown."""

    def __init__(self) -> None:
        self.jobs: dict[str, ReconstructionJob] = {}
        self.times: dict[str, int] = {}

    def seen(self, job: ReconstructionJob) -> None:
        self.jobs[job.metadata.name] = job
        self.times[job.metadata.name] = self.times.get(job.metadata.name, 0) + 1

    def gone(self, gone: ReconstructionJob) -> None:
        self.jobs = {name: job for name, job in self.jobs.items() if job.uid != gone.uid}


async def wait_until(what: str, holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + GENEROUS_S
    while not holds():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.05)


@asynccontextmanager
async def running(task: Any) -> AsyncIterator[None]:
    runs = asyncio.create_task(task)
    try:
        yield
    finally:
        runs.cancel()
        with suppress(asyncio.CancelledError):
            await runs


def watch(api: KubernetesApi, namespace: str, *others: Seen) -> FinishedJobs:
    return FinishedJobs(api, (namespace,), seen=[o.seen for o in others], gone=[o.gone for o in others])


# --- the watch ----------------------------------------------------------------------------------------------------


async def test_finished_jobs_are_shown_from_the_first_list_on(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi
) -> None:
    put_finished(control_plane, namespace, "before")
    noted = Seen()
    async with running(watch(api, namespace, noted).run()):
        await wait_until("the list is shown", lambda: set(noted.jobs) == {"before"})
        job = put_finished(control_plane, namespace, "after")
        await wait_until("what is new is shown", lambda: "after" in noted.jobs and noted.jobs["after"].status.phase)
        job.patch(ttlSecondsAfterFinished=60)
        await wait_until("a change is shown", lambda: noted.jobs["after"].spec.ttl_seconds_after_finished == 60)
        job.delete()
        await wait_until("what went is told of", lambda: set(noted.jobs) == {"before"})


async def test_a_long_list_comes_in_chunks(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recon_operator.clients.kubernetes_api.LIST_CHUNK", 2)
    names = {put_finished(control_plane, namespace, f"chair-{number}").name for number in range(5)}
    noted = Seen()
    async with running(watch(api, namespace, noted).run()):
        await wait_until("all are shown", lambda: set(noted.jobs) == names)


async def test_several_namespaces_are_watched(control_plane: ControlPlane, api: KubernetesApi) -> None:
    namespaces = (control_plane.make_namespace(), control_plane.make_namespace())
    noted = Seen()
    async with running(FinishedJobs(api, namespaces, seen=[noted.seen]).run()):
        for number, namespace in enumerate(namespaces):
            put_finished(control_plane, namespace, f"chair-{number}")
        await wait_until("both are shown", lambda: set(noted.jobs) == {"chair-0", "chair-1"})


async def test_a_job_that_cannot_be_read_hides_no_other(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_all_but_one(body: dict[str, Any]) -> ReconstructionJob:
        return validate({} if body["metadata"]["name"] == "odd" else body)

    validate = ReconstructionJob.model_validate
    monkeypatch.setattr(ReconstructionJob, "model_validate", read_all_but_one)
    for name in ("odd", "plain"):  # a list is in order of the names
        put_finished(control_plane, namespace, name)
    noted = Seen()
    async with running(watch(api, namespace, noted).run()):
        await wait_until("the other one is shown", lambda: set(noted.jobs) == {"plain"})


async def test_one_who_fails_to_note_a_job_ends_nothing(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi
) -> None:
    put_finished(control_plane, namespace, "first")
    noted = Seen()

    def stumble(job: ReconstructionJob) -> None:
        raise RuntimeError(job.key)

    async with running(FinishedJobs(api, (namespace,), seen=[noted.seen, stumble]).run()):
        await wait_until("the first is shown", lambda: "first" in noted.jobs)
        put_finished(control_plane, namespace, "second")
        await wait_until("the second is shown", lambda: "second" in noted.jobs)


async def test_a_version_that_is_too_old_is_told_apart(api: KubernetesApi, namespace: str) -> None:
    with pytest.raises(ExpiredError):
        async for _ in api.watch_jobs(namespace, FINISHED_LABEL, "1"):
            pass


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("1", id="of a version that is too old"),
        pytest.param("999999999999", id="of a version that was restored away"),
    ],
)
async def test_a_watch_that_cannot_go_on(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(kubernetes_api, "WATCH_S", 1)
    put_finished(control_plane, namespace, "before")
    noted = Seen()
    watched = watch(api, namespace, noted)
    versions, list_now = [version], watched._list

    async def list_at_another_version(where: str | None) -> str:
        found = await list_now(where)
        return versions.pop() if versions else found

    monkeypatch.setattr(watched, "_list", list_at_another_version)
    async with running(watched.run()):
        await wait_until("the list is shown", lambda: "before" in noted.jobs)
        put_finished(control_plane, namespace, "after")
        await wait_until("what came since is shown", lambda: "after" in noted.jobs)


# --- the removal --------------------------------------------------------------------------------------------------


class Clock:
    """A wall clock that can be set."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead_s


def removal(api: KubernetesApi, clock: Callable[[], float] = time.time, default_ttl_s: int | None = None) -> JobRemoval:
    redis = RedisState(NOWHERE, NOWHERE, 1, 1.0, Fence.always_open())
    return JobRemoval(
        api=api,
        outputs=OutputRemoval(redis, CeleryClient(NOWHERE, 1.0, Fence.always_open())),
        metrics=Metrics(Jobs()),
        default_ttl_s=default_ttl_s,
        clock=clock,
    )


@asynccontextmanager
async def removing(api: KubernetesApi, namespace: str, removes: JobRemoval) -> AsyncIterator[Seen]:
    noted = Seen()
    watched = FinishedJobs(
        api, (namespace,), seen=[removes.seen, noted.seen], gone=[lambda job: removes.gone(job.uid), noted.gone]
    )
    async with running(watched.run()), running(removes.run()):
        yield noted


async def gone(job: Job) -> None:
    await wait_until(f"{job.name} is gone", lambda: job.object() is None)


async def test_a_clock_that_jumps_ahead_is_noticed(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi
) -> None:
    job, clock = put_finished(control_plane, namespace, ttlSecondsAfterFinished=DAY_S), Clock()
    async with removing(api, namespace, removal(api, clock)) as noted:
        await wait_until("it is known", lambda: "chair" in noted.jobs)
        clock.ahead_s = DAY_S
        await gone(job)


async def test_a_clock_that_jumps_back_delays_nothing_but_what_it_must(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi
) -> None:
    clock = Clock()
    clock.ahead_s = -3 * HOUR_S
    later = put_finished(control_plane, namespace, "later", ttlSecondsAfterFinished=HOUR_S)
    at_once = put_finished(control_plane, namespace, "at-once", ttlSecondsAfterFinished=0)
    async with removing(api, namespace, removal(api, clock)) as noted:
        await wait_until("both are known", lambda: len(noted.jobs) == 2)
        clock.ahead_s = 0.0
        await gone(at_once)
        await gone(later)


@pytest.mark.parametrize("changed", [pytest.param(3 * DAY_S, id="raised"), pytest.param(None, id="removed")])
async def test_a_job_stays_whose_time_is(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi, changed: int | None
) -> None:
    job, clock = put_finished(control_plane, namespace, ttlSecondsAfterFinished=DAY_S), Clock()
    async with removing(api, namespace, removal(api, clock)) as noted:
        await wait_until("it is known", lambda: "chair" in noted.jobs)
        job.patch(ttlSecondsAfterFinished=changed)
        await wait_until("the change is known", lambda: noted.jobs["chair"].spec.ttl_seconds_after_finished == changed)
        clock.ahead_s = 2 * DAY_S
        await gone(put_finished(control_plane, namespace, "witness", ttlSecondsAfterFinished=DAY_S))
        assert job.object()


async def test_a_clock_that_is_set_back_before_the_last_look_keeps_the_job_until_it_is_due(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, clock = put_finished(control_plane, namespace, ttlSecondsAfterFinished=DAY_S), Clock()
    get_job, looked = api.get_job, asyncio.Event()

    async def get_and_set_back(where: str, name: str) -> dict[str, Any]:
        clock.ahead_s = 0.0
        looked.set()
        return await get_job(where, name)

    monkeypatch.setattr(api, "get_job", get_and_set_back)
    clock.ahead_s = DAY_S
    async with removing(api, namespace, removal(api, clock)):
        await wait_until("it is looked at", looked.is_set)
        witness = put_finished(control_plane, namespace, "witness", ttlSecondsAfterFinished=0)
        await gone(witness)
        assert job.object()
        monkeypatch.undo()
        clock.ahead_s = DAY_S
        await gone(job)


async def test_who_changes_a_job_at_the_last_moment_wins(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = put_finished(control_plane, namespace, ttlSecondsAfterFinished=0)
    delete_job, refused = api.delete_job, asyncio.Event()

    async def delete_too_late(where: str, name: str, **version: str) -> None:
        if name == job.name:
            job.patch(ttlSecondsAfterFinished=DAY_S)
            with pytest.raises(ConflictError):
                await delete_job(where, name, **version)
            refused.set()
            raise ConflictError
        await delete_job(where, name, **version)

    monkeypatch.setattr(api, "delete_job", delete_too_late)
    async with removing(api, namespace, removal(api)):
        await wait_until("the deletion is refused", refused.is_set)
        await gone(put_finished(control_plane, namespace, "witness", ttlSecondsAfterFinished=0))
        assert job.object()


async def test_another_job_of_the_same_name_is_not_deleted(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi
) -> None:
    job = put_finished(control_plane, namespace)
    old = (job.object() or {})["metadata"]
    job.delete()
    await gone(job)
    with pytest.raises(GoneError):
        await api.delete_job(namespace, job.name, uid=old["uid"], resource_version=old["resourceVersion"])
    put_finished(control_plane, namespace)
    with pytest.raises(ConflictError):
        await api.delete_job(namespace, job.name, uid=old["uid"], resource_version=old["resourceVersion"])
    assert job.object()


async def test_jobs_that_went_unnoticed_are_forgotten(
    control_plane: ControlPlane, namespace: str, api: KubernetesApi
) -> None:
    job = put_finished(control_plane, namespace, ttlSecondsAfterFinished=0)
    removes = removal(api)
    removes.seen(ReconstructionJob.model_validate(job.object()))
    job.delete()
    await gone(job)
    async with running(removes.run()):
        await wait_until("nothing is kept of it", lambda: not removes._removable)


async def test_jobs_of_other_controllers_stay(control_plane: ControlPlane, namespace: str, api: KubernetesApi) -> None:
    foreign = put_finished(
        control_plane, namespace, "foreign", ttlSecondsAfterFinished=0, managedBy="example.com/scheduler"
    )
    async with removing(api, namespace, removal(api, default_ttl_s=0)) as noted:
        await wait_until("it is known", lambda: "foreign" in noted.jobs)
        await gone(put_finished(control_plane, namespace, "ours"))
        assert foreign.object()


async def test_many_jobs_go_in_time(control_plane: ControlPlane, namespace: str, api: KubernetesApi) -> None:
    jobs = [put_finished(control_plane, namespace, f"chair-{number}") for number in range(40)]
    removes = removal(api, default_ttl_s=0)
    async with removing(api, namespace, removes):
        for job in jobs:
            await gone(job)
        # A deletion is counted once its answer has come, which is later than others see that the job is gone.
        await wait_until("each removal is counted", lambda: removed_by(removes) >= len(jobs))
    assert removed_by(removes) == len(jobs)


def removed_by(removes: JobRemoval) -> float:
    return removes._metrics.registry.get_sample_value("reconstruction_jobs_removed_total") or 0.0
