"""Where files lie, and publishing them whole or not at all."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from recon_api import reasons
from recon_api.errors import JobCancelled, UsageError
from recon_worker.publishing.seal import (
    MANIFEST,
    check_destination,
    publish,
    published,
    read_manifest,
    seal,
    sealed_earlier,
)
from recon_worker.storage.volume import Storage

UID = "0f5c3a1e-0000-4000-8000-000000000001"


def files_in(folder: Path, text: str = "mesh") -> Path:
    (folder / "textures").mkdir(parents=True)
    (folder / "mesh.glb").write_text(text)
    (folder / "textures" / "a.png").write_text("colours")
    (folder / "report.json").write_text("the stage's own")
    (folder / ".tool.log").write_text("hidden")
    return folder


def sealed(tmp_path: Path, attempt: int = 1, text: str = "mesh") -> Path:
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    return seal(files_in(tmp_path / f"files-{attempt}-{text}", text), '{"a": 1}', work, UID, attempt)


def nothing() -> None:
    """Fence nothing off."""


@pytest.mark.parametrize(
    "lead_outside",
    [
        pytest.param(lambda storage: storage.inputs("../shop"), id="a namespace upwards"),
        pytest.param(lambda storage: storage.inputs(""), id="an empty namespace"),
        pytest.param(lambda storage: storage.outputs("Shop/x"), id="a namespace with a slash"),
        pytest.param(lambda storage: storage.work(".."), id="a uid upwards"),
        pytest.param(lambda storage: storage.work(""), id="an empty uid"),
        pytest.param(lambda storage: storage.discard("a/b"), id="discarding a path"),
        pytest.param(lambda storage: storage.output("shop", "/etc"), id="an absolute output"),
        pytest.param(lambda storage: storage.output("shop", "a/../../b"), id="an output upwards"),
        pytest.param(lambda storage: storage.output("shop", ""), id="no output"),
        pytest.param(lambda storage: storage.output("shop", ".hidden"), id="a hidden output"),
        pytest.param(lambda storage: storage.output("shop", "link/x"), id="an output over a link"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, lead_outside: Callable[[Storage], object]) -> None:
    (tmp_path / "outputs" / "shop").mkdir(parents=True)
    (tmp_path / "outputs" / "shop" / "link").symlink_to("/tmp")
    with pytest.raises(UsageError) as caught:
        lead_outside(Storage(tmp_path))
    assert caught.value.reason == reasons.INVALID_SPEC


def test_discarding_leaves_what_others_have(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    for uid in (UID, "other"):
        storage.steps(uid).mkdir(parents=True)
    storage.discard(UID)
    storage.discard(UID)
    assert [folder.name for folder in (tmp_path / "work").iterdir()] == ["other"]


def test_only_drafts_of_dead_attempts_are_removed(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    kept = ["attempt-1", "attempt-10.tmp", "steps", "steps/.attempt-10-cut-0a.tmp", "steps/cut-f", "steps/odd.tmp"]
    gone = ["attempt-1.tmp", "attempt-2.tmp", "steps/.attempt-2-cut-0a.tmp", "steps/.removed-x.tmp", ".removed-y.tmp"]
    for name in [*kept, *gone]:
        (storage.work(UID) / name).mkdir(parents=True, exist_ok=True)
    storage.remove_drafts(UID, through=2)
    left = (folder.relative_to(storage.work(UID)).as_posix() for folder in storage.work(UID).rglob("*"))
    assert sorted(left) == sorted(kept)


def test_a_job_whose_removal_was_interrupted_is_removed_by_the_next_one(tmp_path: Path) -> None:
    storage = Storage(tmp_path)
    storage.steps(UID).mkdir(parents=True)
    storage.work(UID).rename(storage.work(UID).with_name(f".removed-{UID}.tmp"))
    storage.discard(UID)
    assert list((tmp_path / "work").iterdir()) == []


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
    assert (published(folder, UID) or pytest.fail("no manifest")).attempt == 2
    assert published(folder, "another job") is None


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
    ("damage", "found"),
    [
        pytest.param(lambda _: None, True, id="whole"),
        pytest.param(lambda folder: (folder / "mesh.glb").write_text("other"), False, id="changed"),
        pytest.param(lambda folder: (folder / "mesh.glb").unlink(), False, id="a file is missing"),
        pytest.param(lambda folder: (folder / MANIFEST).unlink(), False, id="no manifest"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text("{"), False, id="half a manifest"),
        pytest.param(lambda folder: folder.rename(folder.with_name("attempt-1.tmp")), False, id="not sealed yet"),
    ],
)
def test_a_later_attempt_takes_over_what_is_whole(
    tmp_path: Path, damage: Callable[[Path], object], found: bool
) -> None:
    folder = sealed(tmp_path)
    damage(folder)
    assert sealed_earlier(tmp_path / "work", UID) == (folder if found else None)
    assert sealed_earlier(tmp_path / "work", "another job") is None


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
