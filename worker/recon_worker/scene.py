"""A scene: the finished artefacts of one job, one folder for each stage, each written whole or not at all.

    <root>/<stage>-<fingerprint>/      what the stage wrote, and report.json
    <root>/.<stage>-<nonce>.tmp/       being written; of no meaning to anybody else

A stage's fingerprint covers its name, its version, the parameters that it reads and the fingerprints of the artefacts
that it reads. So a finished folder can be used again by any attempt on any worker, and two attempts that write the same
artefact at once write the same bytes: whichever renames first wins, the other adopts it.
"""

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

REPORT = "report.json"


def fingerprint_of(*parts: object) -> str:
    """Return a short stable digest of JSON-serialisable parts."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class Scene:
    """Finished artefacts of one job by the name of the stage that made them."""

    def __init__(self, root: Path) -> None:
        """Use the folder `root`, which is made where it does not exist."""
        self.root = root
        self._fingerprints: dict[str, str] = {}
        root.mkdir(parents=True, exist_ok=True)

    def open(self, stage: str, fingerprint: str) -> bool:
        """Say whether the stage's artefact with that fingerprint is finished, and if so, use it from now on."""
        if not (self._folder(stage, fingerprint) / REPORT).is_file():
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
    def writing(self, stage: str, fingerprint: str) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Yield (folder, report) to fill; both become the stage's artefact at the end, or nothing on an exception."""
        draft = self.root / f".{stage}-{uuid.uuid4().hex[:8]}.tmp"
        draft.mkdir()
        report: dict[str, Any] = {}
        try:
            yield draft, report
            (draft / REPORT).write_text(json.dumps(report, indent=1, sort_keys=True))
            self._commit(draft, self._folder(stage, fingerprint))
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        self._fingerprints[stage] = fingerprint

    def _folder(self, stage: str, fingerprint: str) -> Path:
        return self.root / f"{stage}-{fingerprint}"

    @staticmethod
    def _commit(draft: Path, final: Path) -> None:
        try:
            draft.rename(final)
        except OSError:
            # Another attempt wrote the same artefact first; a folder can't be renamed over a full one.
            if not (final / REPORT).is_file():
                raise
