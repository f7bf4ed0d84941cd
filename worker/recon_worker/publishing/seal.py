"""Sealing an attempt's files: a folder of its own with a manifest, which appears whole by one rename.

A later attempt that finds a sealed folder publishes that, and computes nothing again.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from recon_api.errors import JobCancelled
from recon_worker.files.atomic_folder import begin, complete, remove, sync_folder, visible_files
from recon_worker.files.manifest import MANIFEST, REPORT, Manifest, described, manifest_of_job


def seal(
    files: Path, report: str, work: Path, uid: str, attempt: int, check: Callable[[], None] = lambda: None
) -> Path:
    """Make `work/attempt-<n>/` of the model's files and the report's text, on disk and complete; return it.

    Hidden files and the artefact's own report.json stay behind. `check` is called all the time and may raise; nothing is
    left then. Raises OSError where `work` is gone, or the draft was removed by a later attempt.
    """
    draft, final = work / f"attempt-{attempt}.tmp", work / f"attempt-{attempt}"
    remove(draft)
    begin(draft)
    try:
        for file in visible_files(files):
            check()
            if file != files / REPORT:
                _link_or_copy(file, draft / file.relative_to(files))
        (draft / REPORT).write_text(report)
        manifest = Manifest(uid=uid, attempt=attempt, files=tuple(described(draft, check)))
        (draft / MANIFEST).write_text(manifest.model_dump_json(indent=1))
        complete(draft, check)
    except JobCancelled:
        remove(draft)
        raise
    remove(final)
    draft.rename(final)
    sync_folder(work)
    return final


def sealed_earlier(work: Path, uid: str) -> Path | None:
    """Return a sealed folder of any attempt at the job whose files are as its manifest says, None where there is none."""
    found = sorted(work.glob("attempt-*[0-9]")) if work.is_dir() else []
    return next((folder for folder in reversed(found) if _is_whole(folder, uid)), None)


def _is_whole(folder: Path, uid: str) -> bool:
    manifest = manifest_of_job(folder, uid)
    try:
        found = tuple(file for file in described(folder) if file.name != MANIFEST)
    except FileNotFoundError:  # it is being published by an attempt that is believed dead
        return False
    return manifest is not None and manifest.files == found


def _link_or_copy(file: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(file, target)
    except OSError:  # a file system without hard links
        shutil.copyfile(file, target)
