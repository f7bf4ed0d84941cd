"""Publishing whole or not at all, and nowhere else."""

import json
from pathlib import Path

import pytest

from recon_api import reasons
from recon_api.errors import JobCancelled, UsageError
from recon_worker.files.manifest import MANIFEST, manifest_of_job, read_manifest
from recon_worker.publishing.folder_swap import check_destination, publish
from recon_worker.publishing.seal import sealed_earlier
from tests.support.sealed import UID, files_in, nothing, sealed


def test_a_published_folder_holds_the_files_a_report_and_a_manifest_that_fits(tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "shop" / "chair"
    manifest = publish(sealed(tmp_path), folder, nothing)
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert found == [MANIFEST, "mesh.glb", "report.json", "textures/a.png"]
    assert json.loads((folder / "report.json").read_text()) == {"a": 1}
    assert {file.name: file.media_type for file in manifest.files} == {
        "mesh.glb": "model/gltf-binary",
        "report.json": "application/json",
        "textures/a.png": "image/png",
    }
    output = next(output for output in manifest.outputs(folder) if output.name == "mesh.glb")
    assert (output.uri, output.bytes) == ((folder / "mesh.glb").as_uri(), 4)
    assert not list((tmp_path / "work").iterdir())


def test_a_new_result_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    publish(sealed(tmp_path, 1, "old"), folder, nothing)
    publish(sealed(tmp_path, 2, "new"), folder, nothing)
    assert (folder / "mesh.glb").read_text() == "new"
    assert not list(tmp_path.glob(".*"))
    assert (manifest_of_job(folder, UID) or pytest.fail("no manifest")).attempt == 2
    assert manifest_of_job(folder, "another job") is None


def test_a_fenced_off_attempt_changes_nothing_and_stays_sealed(tmp_path: Path) -> None:
    folder, own = tmp_path / "out", sealed(tmp_path, 2, "zombie")
    publish(sealed(tmp_path, 3, "right"), folder, nothing)

    def refuse() -> None:
        raise JobCancelled(reasons.SUPERSEDED, "attempt 3 took over")

    with pytest.raises(JobCancelled):
        publish(own, folder, refuse)
    assert (folder / "mesh.glb").read_text() == "right"
    assert own.exists()


@pytest.mark.parametrize("wakes_up", ["before it looks", "while it renames"])
def test_an_attempt_that_sleeps_past_its_fence_leaves_the_result_of_a_later_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wakes_up: str
) -> None:
    folder, own, rename = tmp_path / "out", sealed(tmp_path), Path.rename
    publish(sealed(tmp_path, 2, "old"), folder, nothing)

    def later_attempt() -> None:
        found = sealed_earlier(tmp_path / "work", UID)
        assert found
        publish(found, folder, nothing)

    def wake_up(path: Path, target: Path) -> Path:
        if path == folder:
            monkeypatch.undo()
            later_attempt()
        return rename(path, target)

    def sleep_long() -> None:
        later_attempt()
        monkeypatch.setattr(Path, "rename", lambda *_: pytest.fail("it moves what a reader may be reading"))

    if wakes_up == "while it renames":
        monkeypatch.setattr(Path, "rename", wake_up)
    with pytest.raises(FileNotFoundError):
        publish(own, folder, sleep_long if wakes_up == "before it looks" else nothing)
    monkeypatch.undo()
    assert (folder / "mesh.glb").read_text() == "mesh"
    assert not list(tmp_path.glob(".*"))


def test_another_job_that_publishes_in_the_same_place_meanwhile_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, own = tmp_path / "out", sealed(tmp_path)
    publish(sealed(tmp_path, 2, "old"), folder, nothing)
    rename = Path.rename

    def race(path: Path, target: Path) -> Path:
        if path == own:  # the old result is set aside, and another job comes first
            files_in(folder, "another")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", race)
    with pytest.raises(OSError, match="not empty"):
        publish(own, folder, nothing)
    assert (folder / "mesh.glb").read_text() == "another"
    assert sealed_earlier(tmp_path / "work", UID) == own
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param("diary", "holds files that no job has published", id="a folder of somebody's"),
        pytest.param("chair/inner", "in another job's result", id="in another result"),
        pytest.param("empty", None, id="an empty folder"),
        pytest.param("chair", None, id="an earlier result"),
        pytest.param("new/deep", None, id="a new folder"),
    ],
)
def test_where_a_result_may_go(tmp_path: Path, path: str, words: str | None) -> None:
    publish(sealed(tmp_path), tmp_path / "out" / "chair", nothing)
    (tmp_path / "out" / "diary").mkdir()
    (tmp_path / "out" / "diary" / "monday.txt").write_text("dear diary")
    (tmp_path / "out" / "empty").mkdir()
    if words is None:
        check_destination(tmp_path / "out" / path, tmp_path / "out")
        return
    with pytest.raises(UsageError, match=words):
        check_destination(tmp_path / "out" / path, tmp_path / "out")
    assert read_manifest(tmp_path / "out" / "diary") is None
