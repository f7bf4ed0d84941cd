"""Whatever kills an attempt, wherever it is: a reader sees a whole result or none, and the next attempt ends the job."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from recon_api import reasons
from recon_api.errors import JobCancelled
from recon_api.payload import TaskPayload
from recon_api.steps import Step
from recon_worker.attempt.run import run_attempt
from recon_worker.inputs.limits import InputLimits
from recon_worker.models.installed import Models
from recon_worker.progress import SilentSink
from recon_worker.publishing.published_result import Finished
from recon_worker.publishing.seal import read_manifest
from recon_worker.remote.places import RemoteAccess
from recon_worker.storage.volume import Storage
from tests.support.crash_points import changes_of

pytestmark = pytest.mark.slow

UID, EARLIER_UID = "0f5c3a1e-0000-4000-8000-000000000001", "0f5c3a1e-0000-4000-8000-000000000002"
FILES = ["mesh.glb", "points.ply", "preview.png", "report.json"]


class Site:
    """A storage where another job has published before in the same place."""

    def __init__(self, root: Path) -> None:
        self.storage, self.notes = Storage(root / "storage"), root / "notes"
        self.folder = self.storage.output("shop", "chair")
        self.attempt(1, EARLIER_UID, noop=True)
        self.storage.discard(EARLIER_UID)

    def attempt(self, number: int, uid: str = UID, *, noop: bool = False, held: bool = False) -> Finished:
        """Run an attempt, without a Redis: `held` tells whether its fence refuses."""
        payload = TaskPayload(
            job_id=uid,
            model_type="synthetic",
            namespace="shop",
            name="chair",
            attempt=number,
            parameters={"noop": True} if noop else {},
        )

        def fence() -> None:
            if held:
                raise JobCancelled(reasons.SUSPENDED, "held")

        return run_attempt(
            payload, self.storage, Models(None, "cpu"), InputLimits(), {}, SilentSink(), fence, RemoteAccess()
        )

    def published(self) -> dict[str, str]:
        """Return the hashes of the published files that are as the manifest says."""
        manifest = read_manifest(self.folder)
        found = {file.name: file.sha256 for file in manifest.files} if manifest else {}
        return {name: sha256 for name, sha256 in found.items() if sha256_of(self.folder / name) == sha256}


def sha256_of(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What an attempt publishes that nothing disturbs; all that it imports is imported by now."""
    site = Site(tmp_path_factory.mktemp("undisturbed"))
    site.attempt(1)
    return site.published()


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Site]:
    """Storages, as many as are asked for."""
    return (Site(tmp_path / str(number)) for number in range(1000))


def test_the_next_attempt_ends_what_a_death_at_any_change_of_a_file_has_left(
    wanted: dict[str, str], sites: Iterator[Site]
) -> None:
    site = next(sites)
    changes = changes_of(lambda: site.attempt(1), site.notes)
    named = {"os.rename attempt-1.tmp attempt-1", "os.rename attempt-1 chair"}
    assert named <= set(changes)
    ends = [number for number, change in enumerate(changes) if change.startswith("os.rename .attempt-1-")]
    assert len(ends) == 4
    for number in (*range(ends[0] + 1), *range(ends[2] + 1, len(changes))):  # one stage ends as the other
        site, change = next(sites), changes[number]
        changes_of(lambda site=site: site.attempt(1), site.notes, die_at=number)  # type: ignore[misc]
        assert sorted(site.published()) in ([], ["report.json"], FILES), f"half a result before {change}"
        finished = site.attempt(2)
        site.storage.discard(UID)
        assert {name: site.published()[name] for name in FILES[:3]} == {name: wanted[name] for name in FILES[:3]}, (
            change
        )
        assert sorted(output.name for output in finished.outputs) == FILES
        assert [path.name for path in site.folder.parent.iterdir()] == ["chair"], (
            f"left over by a death before {change}"
        )
        assert list((site.storage.root / "work").iterdir()) == []


def test_a_job_that_is_held_at_its_fence_is_published_by_the_next_attempt(sites: Iterator[Site]) -> None:
    site = next(sites)
    before = site.published()
    with pytest.raises(JobCancelled):
        site.attempt(1, held=True)
    assert site.published() == before
    sealed = site.storage.work(UID) / "attempt-1" / "mesh.glb"
    number = sealed.stat().st_ino
    finished = site.attempt(2)
    assert (site.folder / "mesh.glb").stat().st_ino == number
    manifest = read_manifest(site.folder)
    assert manifest
    assert manifest.attempt == 1
    assert [metric.name for metric in finished.metrics] == ["points", "faces"]


def test_step_times_are_those_of_the_stages_whichever_attempt_ran_them(sites: Iterator[Site]) -> None:
    site = next(sites)
    with pytest.raises(JobCancelled):
        site.attempt(1, held=True)
    finished = [site.attempt(number) for number in (2, 3)]
    ran = [Step.PREPROCESSING, Step.RECONSTRUCTION, Step.POST_PROCESSING, Step.PREVIEWS]
    assert [step.name for step in finished[0].steps] == [*ran, Step.FINALIZING]
    assert finished[1].steps == finished[0].steps[:4]  # it was published before: nothing was left to finalize
    assert (finished[1].outputs, finished[1].metrics) == (finished[0].outputs, finished[0].metrics)
