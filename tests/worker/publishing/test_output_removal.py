"""Removing a job's outputs, and nobody else's."""

import os
from pathlib import Path

import pytest

from recon_worker.files.manifest import MANIFEST
from recon_worker.publishing import output_removal
from recon_worker.publishing.folder_swap import publish
from recon_worker.publishing.seal import seal
from recon_worker.storage.volume import VolumeStorage

UID, OTHER = "0f5c3a1e-0000-4000-8000-000000000001", "0f5c3a1e-0000-4000-8000-000000000002"


@pytest.fixture
def storage(tmp_path: Path) -> VolumeStorage:
    return VolumeStorage(tmp_path)


def put_out(storage: VolumeStorage, uid: str, path: str = "chair") -> Path:
    """Publish a small result as a job does; return its folder."""
    files = storage.work(uid) / "files"
    (files / "textures").mkdir(parents=True)
    (files / "mesh.glb").write_text(uid)
    (files / "textures" / "a.png").write_text("colours")
    folder = storage.output("shop", path)
    publish(seal(files, "{}", storage.work(uid), uid, 1), folder, lambda: None)
    storage.discard(uid)
    return folder


@pytest.mark.parametrize("path", ["chair", "autumn/chairs/red"])
def test_a_jobs_outputs_go(storage: VolumeStorage, path: str) -> None:
    folder, neighbour = put_out(storage, UID, path), put_out(storage, OTHER, "neighbour")
    storage.remove_outputs("shop", path, UID)
    assert not folder.exists()
    assert (neighbour / MANIFEST).exists()


def test_nothing_to_remove_is_no_error(storage: VolumeStorage) -> None:
    storage.remove_outputs("shop", "chair", UID)
    put_out(storage, UID)
    storage.remove_outputs("shop", "chair", UID)
    storage.remove_outputs("shop", "chair", UID)


def test_what_a_later_job_has_published_there_stays(storage: VolumeStorage) -> None:
    put_out(storage, UID)
    folder = put_out(storage, OTHER)
    storage.remove_outputs("shop", "chair", UID)
    assert (folder / "mesh.glb").read_text() == OTHER


def test_what_a_later_job_publishes_meanwhile_stays(storage: VolumeStorage) -> None:
    folder = put_out(storage, UID)
    with output_removal._opened(folder) as opened:
        put_out(storage, OTHER)
        output_removal._empty(opened)
        output_removal._remove_empty(folder)
    assert (folder / "mesh.glb").read_text() == OTHER


def test_what_a_later_job_has_moved_away_goes_too(storage: VolumeStorage) -> None:
    folder = put_out(storage, UID)
    moved = folder.rename(folder.with_name(".replaced-0badcafe.old"))
    storage.remove_outputs("shop", "chair", UID)
    assert not moved.exists()


def test_a_removal_that_was_interrupted_is_completed(storage: VolumeStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, unlink = put_out(storage, UID), os.unlink

    def unlink_all_but_one(name: str, **where: int) -> None:
        if name == MANIFEST:
            raise PermissionError
        unlink(name, **where)

    monkeypatch.setattr(os, "unlink", unlink_all_but_one)
    with pytest.raises(PermissionError):
        storage.remove_outputs("shop", "chair", UID)
    assert [path.name for path in folder.iterdir()] == [MANIFEST]
    monkeypatch.undo()
    storage.remove_outputs("shop", "chair", UID)
    assert not folder.exists()


@pytest.mark.parametrize("manifest", [None, "{}", "no JSON"])
def test_files_that_no_job_has_published_stay(storage: VolumeStorage, manifest: str | None) -> None:
    folder = storage.output("shop", "chair")
    folder.mkdir(parents=True)
    (folder / "notes.txt").touch()
    if manifest is not None:
        (folder / MANIFEST).write_text(manifest)
    storage.remove_outputs("shop", "chair", UID)
    assert (folder / "notes.txt").exists()


def test_a_link_leads_nowhere(storage: VolumeStorage) -> None:
    target = put_out(storage, UID, "target")
    storage.output("shop", "chair").symlink_to(target)
    storage.remove_outputs("shop", "chair", UID)
    assert (target / MANIFEST).exists()


def test_what_lies_behind_a_link_stays(storage: VolumeStorage, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    folder = put_out(storage, UID)
    (folder / "link").symlink_to(tmp_path / "precious")
    storage.remove_outputs("shop", "chair", UID)
    assert not folder.exists()
    assert (tmp_path / "precious" / "file").exists()


@pytest.mark.parametrize("path", ["../other/chair", "/etc", ".hidden", ""])
def test_a_path_that_leads_elsewhere_holds_no_outputs(storage: VolumeStorage, path: str) -> None:
    folder = put_out(storage, UID)
    storage.remove_outputs("shop", path, UID)
    assert folder.exists()
