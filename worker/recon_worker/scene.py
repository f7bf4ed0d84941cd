"""A scene: the finished artefacts of one job, one folder for each stage, each written whole or not at all.

    <root>/<stage>-<fingerprint>/                     what the stage wrote, report.json, and the list of its files
    <root>/.attempt-<n>-<stage>-<nonce>.tmp/          being written by attempt n; of no meaning to anybody else

A stage's fingerprint covers its name, its version, the parameters that it reads and the fingerprints of the artefacts
that it reads. So a finished folder can be used again by any attempt on any worker, and two attempts that write the same
artefact at once write the same bytes: whichever renames first wins, the other adopts it.
"""

import hashlib
import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from recon_worker.files.atomic_folder import begin, complete, remove, sync_folder, visible_files

REPORT = "report.json"
CONTENTS = ".contents.json"


class Contents(BaseModel):
    """What a finished artefact holds: a machine that died may have kept less of it."""

    files: dict[str, int]
    """Size in bytes by name."""


def fingerprint_of(*parts: object) -> str:
    """Return a short stable digest of JSON-serialisable parts."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Scene:
    """Finished artefacts of one job by the name of the stage that made them."""

    def __init__(self, root: Path, attempt: int = 0) -> None:
        """Use the folder `root`, which is made where it does not exist; drafts bear the attempt's number."""
        self.root = root
        self._attempt = attempt
        self._fingerprints: dict[str, str] = {}
        root.mkdir(parents=True, exist_ok=True)

    def open(self, stage: str, fingerprint: str) -> bool:
        """Say whether the stage's artefact with that fingerprint is finished, and if so, use it from now on."""
        if not _is_whole(self._folder(stage, fingerprint)):
            return False
        self._fingerprints[stage] = fingerprint
        return True

    def folder(self, stage: str) -> Path:
        """Return the folder of a finished artefact; raise KeyError where the stage was not opened or written."""
        return self._folder(stage, self._fingerprints[stage])

    def fingerprint(self, stage: str) -> str:
        """Return the fingerprint of a finished artefact; raise KeyError where there is none."""
        return self._fingerprints[stage]

    def report(self, stage: str) -> Mapping[str, Any]:
        """Return what the stage reported when it finished."""
        report: dict[str, Any] = json.loads((self.folder(stage) / REPORT).read_text())
        return report

    def reports(self) -> dict[str, Mapping[str, Any]]:
        """Return the reports of all finished stages of this run, in the order in which they finished."""
        return {stage: self.report(stage) for stage in self._fingerprints}

    @contextmanager
    def writing(
        self, stage: str, fingerprint: str, check: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Yield (folder, report) to fill; both become the stage's artefact at the end, or nothing on an exception.

        `check` is called while the disk takes the files, and may raise.
        Raises OSError where a later attempt, which takes this one for dead, has removed the folder meanwhile.
        """
        draft = self.root / f".attempt-{self._attempt}-{stage}-{uuid.uuid4().hex[:8]}.tmp"
        begin(draft)
        report: dict[str, Any] = {}
        try:
            yield draft, report
            (draft / REPORT).write_text(json.dumps(report, indent=1, sort_keys=True))
            _commit(draft, self._folder(stage, fingerprint), check)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self._fingerprints[stage] = fingerprint

    def _folder(self, stage: str, fingerprint: str) -> Path:
        return self.root / f"{stage}-{fingerprint}"


def _commit(draft: Path, final: Path, check: Callable[[], None]) -> None:
    files = {file.relative_to(draft).as_posix(): file.stat().st_size for file in visible_files(draft)}
    (draft / CONTENTS).write_text(Contents(files=files).model_dump_json(indent=1))
    complete(draft, check)
    if final.exists() and not _is_whole(final):
        remove(final)
    try:
        draft.rename(final)
    except OSError:
        # Another attempt wrote the same artefact first; a folder can't be renamed over a full one.
        if not _is_whole(final):
            raise
    sync_folder(final.parent)


def _is_whole(folder: Path) -> bool:
    """Say whether the folder holds what its stage finished: a report that can be read, and every file at its size."""
    try:
        contents = Contents.model_validate_json((folder / CONTENTS).read_text())
        report = json.loads((folder / REPORT).read_text())
        sizes = {name: (folder / name).stat().st_size for name in contents.files}
    except (OSError, ValueError):  # pydantic's and json's errors are ValueErrors
        return False
    return isinstance(report, dict) and sizes == contents.files
