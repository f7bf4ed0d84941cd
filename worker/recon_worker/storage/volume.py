"""Where a job's files lie on the shared volume.

    inputs/<namespace>/...                 read
    work/<uid>/steps/                      the scene: finished steps, which any attempt can use
    work/<uid>/steps/.attempt-<n>-*.tmp/   a step that attempt n is about to finish; only it writes here
    work/<uid>/attempt-<n>.tmp/            what attempt n is about to publish; only it writes here
    work/<uid>/attempt-<n>/                the same, complete, with its manifest
    outputs/<namespace>/<name>/            published

Where the storage is a bucket (`recon_worker.storage.bucket`), each worker has a disk of its own for work/, and nothing else.

Every name that becomes a part of a path is checked here again, whoever checked it before.
"""

import math
import re
import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.files.atomic_folder import REMOVED, remove

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_UID = re.compile(r"[A-Za-z0-9][-A-Za-z0-9]{0,63}")
_DRAFT = re.compile(r"\.?attempt-(\d+)[-.].*tmp")


@dataclass(frozen=True)
class Storage:
    """The shared volume."""

    root: Path

    def inputs(self, namespace: str) -> Path:
        """Return the folder that the namespace's jobs may read."""
        return self.root / "inputs" / checked_namespace(namespace)

    def outputs(self, namespace: str) -> Path:
        """Return the folder that the namespace's jobs publish in."""
        return self.root / "outputs" / checked_namespace(namespace)

    def output(self, namespace: str, path: str) -> Path:
        """Return the folder that `spec.output.path` names; raise `UsageError(INVALID_SPEC)` where it leads elsewhere."""
        folder, relative = self.outputs(namespace), checked_output(path)
        if not (folder / relative).resolve().is_relative_to(folder.resolve()):
            raise UsageError(
                reasons.INVALID_SPEC, f"output.path {path!r} leads outside of the namespace's output folder"
            )
        return folder / relative

    def work(self, uid: str) -> Path:
        """Return the job's own folder; raise `UsageError(INVALID_SPEC)` where the uid is none."""
        return self.root / "work" / _checked(_UID, uid, "uid")

    def steps(self, uid: str) -> Path:
        """Return the root of the job's scene."""
        return self.work(uid) / "steps"

    def jobs(self) -> list[str]:
        """Return the uids of the jobs that have a folder of their own."""
        folder = self.root / "work"
        return [each.name for each in folder.iterdir() if _UID.fullmatch(each.name)] if folder.is_dir() else []

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


def checked_namespace(namespace: str) -> str:
    """Return the name of a namespace; raise `UsageError(INVALID_SPEC)` where it is none."""
    return _checked(_NAMESPACE, namespace, "namespace")


def checked_output(path: str) -> PurePosixPath:
    """Return `spec.output.path`; raise `UsageError(INVALID_SPEC)` where it is absolute, leads upwards or is hidden."""
    relative = PurePosixPath(path)
    parts = relative.parts
    if not parts or relative.is_absolute() or "\0" in path or any(part.startswith(".") for part in parts):
        raise UsageError(
            reasons.INVALID_SPEC,
            f"output.path {path!r} must be relative to the namespace's own output folder, without hidden parts",
        )
    return relative


def _attempt_of(draft: Path) -> float:
    """Return the number of the attempt that began the draft, infinity where it is none of ours."""
    found = _DRAFT.fullmatch(draft.name)
    return int(found[1]) if found else math.inf


def _checked(pattern: re.Pattern[str], value: str, what: str) -> str:
    if not pattern.fullmatch(value):
        raise UsageError(reasons.INVALID_SPEC, f"not a {what}: {value!r}")
    return value
