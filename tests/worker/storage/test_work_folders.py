"""What is removed of the folders that jobs work in, and what stays."""

from pathlib import Path

from recon_worker.storage.work_folders import WorkFolders
from tests.support.sealed import UID


def test_discarding_leaves_what_others_have(tmp_path: Path) -> None:
    storage = WorkFolders(tmp_path)
    for uid in (UID, "other"):
        storage.steps(uid).mkdir(parents=True)
    storage.discard(UID)
    storage.discard(UID)
    assert [folder.name for folder in (tmp_path / "work").iterdir()] == ["other"]


def test_only_drafts_of_dead_attempts_are_removed(tmp_path: Path) -> None:
    storage = WorkFolders(tmp_path)
    kept = ["attempt-1", "attempt-10.tmp", "steps", "steps/.attempt-10-cut-0a.tmp", "steps/cut-f", "steps/odd.tmp"]
    gone = ["attempt-1.tmp", "attempt-2.tmp", "steps/.attempt-2-cut-0a.tmp", "steps/.removed-x.tmp", ".removed-y.tmp"]
    for name in [*kept, *gone]:
        (storage.work(UID) / name).mkdir(parents=True, exist_ok=True)
    storage.remove_drafts(UID, through=2)
    left = (folder.relative_to(storage.work(UID)).as_posix() for folder in storage.work(UID).rglob("*"))
    assert sorted(left) == sorted(kept)


def test_a_job_whose_removal_was_interrupted_is_removed_by_the_next_one(tmp_path: Path) -> None:
    storage = WorkFolders(tmp_path)
    storage.steps(UID).mkdir(parents=True)
    storage.work(UID).rename(storage.work(UID).with_name(f".removed-{UID}.tmp"))
    storage.discard(UID)
    assert list((tmp_path / "work").iterdir()) == []
