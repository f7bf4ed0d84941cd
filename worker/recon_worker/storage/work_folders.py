"""The folders that jobs work in, on the shared volume or, where the storage is a bucket, on a worker's own disk.

work/<uid>/steps/                      the scene: finished steps, which any attempt can use
work/<uid>/steps/.attempt-<n>-*.tmp/   a step that attempt n is about to finish; only it writes here
work/<uid>/attempt-<n>.tmp/            what attempt n is about to publish; only it writes here
work/<uid>/attempt-<n>/                the same, complete, with its manifest
"""

import math
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from recon_worker.files.atomic_folder import REMOVED, remove
from recon_worker.storage.names import UID, checked_uid

_DRAFT = re.compile(r"\.?attempt-(\d+)[-.].*tmp")


@dataclass(frozen=True)
class WorkFolders:
    """The folders below `root` that jobs work in."""

    root: Path

    def work(self, uid: str) -> Path:
        """Return the job's own folder; raise `UsageError(INVALID_SPEC)` where the uid is none."""
        return self.root / "work" / checked_uid(uid)

    def steps(self, uid: str) -> Path:
        """Return the root of the job's scene."""
        return self.work(uid) / "steps"

    def jobs(self) -> list[str]:
        """Return the uids of the jobs that have a folder of their own."""
        folder = self.root / "work"
        return [each.name for each in folder.iterdir() if UID.fullmatch(each.name)] if folder.is_dir() else []

    def remove_drafts(self, uid: str, *, through: int) -> None:
        """Remove what attempts up to number `through` were about to write; finished steps and sealed results stay.

        One of them that is not dead, though it is believed to be, can't finish it any more. Later ones lose nothing.
        """
        for folder in (self.work(uid), self.steps(uid)):
            for draft in folder.glob("*.tmp"):
                if draft.match(REMOVED):
                    shutil.rmtree(draft, ignore_errors=True)
                elif _attempt_of(draft) <= through:
                    remove(draft)

    def discard(self, uid: str) -> None:
        """Remove everything of the job but what it has published. Does nothing where there is nothing."""
        remove(self.work(uid))


def _attempt_of(draft: Path) -> float:
    """Return the number of the attempt that began the draft, infinity where it is none of ours."""
    found = _DRAFT.fullmatch(draft.name)
    return int(found[1]) if found else math.inf
