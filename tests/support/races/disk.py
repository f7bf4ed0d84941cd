"""The shared volume and what is computed on it: simulated for the mass of the races, real files for some."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from recon_api.payload import TaskPayload
from recon_api.status import Output
from recon_worker.files.manifest import Manifest
from recon_worker.progress import ProgressSink
from recon_worker.publishing.published_result import PublishedResult
from recon_worker.storage.storage import OpenLog
from recon_worker.storage.volume import VolumeStorage
from tests.support.races.fates import STEPS
from tests.support.races.steps import pause

Fence = Callable[[], None]


class Watcher(Protocol):
    """Is told what happens on a disk, by the process that does it."""

    def strike(self, uid: str, step: str) -> None:
        """Let the fate of the job strike at a step that is being computed."""

    def begins_step(self, uid: str, step: str) -> None:
        """Note that a step is computed."""

    def finished_step(self, uid: str, step: str) -> None:
        """Note that it is finished, for whoever comes later."""

    def published(self, uid: str) -> None:
        """Note that a result has just appeared."""


class Disk(Protocol):
    """What jobs leave behind, and the computation that does."""

    storage: VolumeStorage

    def run(self, payload: TaskPayload, fence: Fence, sink: ProgressSink) -> PublishedResult:
        """Bring a job to its end, as `recon_worker.attempt.run.run_attempt` does."""

    def manifest(self, folder: Path, uid: str) -> Manifest | None:
        """Return what the job has published in a folder."""

    def has_work(self, uid: str) -> bool:
        """Say whether anything is left of a job that is not published."""


@dataclass
class Files:
    """What is on the disk."""

    steps: dict[str, set[str]] = field(default_factory=dict)
    """PublishedResult steps of each job that has a folder for them."""
    sealed: dict[str, set[int]] = field(default_factory=dict)
    """Attempts of each job whose results are complete, and not published."""
    published: dict[Path, Manifest] = field(default_factory=dict)


@dataclass(frozen=True)
class MemoryStorage(VolumeStorage):
    """A storage without files."""

    files: Files

    def discard(self, uid: str) -> None:
        """Remove everything of the job but what it has published."""
        self.files.steps.pop(uid, None)
        self.files.sealed.pop(uid, None)

    @contextmanager
    def log(self, namespace: str, uid: str, attempt: int) -> Iterator[OpenLog]:
        """Keep no log."""
        yield OpenLog(io.BytesIO(), f"memory:{namespace}/{uid}/{attempt}", readable_now=True)

    def remove_drafts(self, uid: str, *, through: int) -> None:
        """There are none."""

    def find_local_result(self, namespace: str, output_path: str, uid: str) -> PublishedResult | None:
        """Return what the job has published in its folder."""
        found = self.files.published.get(self.output(namespace, output_path))
        return PublishedResult(outputs=(), steps=(), metrics=()) if found and found.uid == uid else None


class MemoryDisk:
    """A disk in memory. It goes about things in the order in which `recon_worker.attempt.run` does."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher, self._files = watcher, Files()
        self.storage: VolumeStorage = MemoryStorage(Path("/nowhere"), self._files)

    def run(self, payload: TaskPayload, fence: Fence, sink: ProgressSink) -> PublishedResult:
        """Compute what is missing, then publish."""
        uid, folder = payload.job_id, self.storage.output(payload.namespace, payload.published_as)
        pause("looks what is there")
        if self.manifest(folder, uid) is not None:
            return _finished(folder)
        if sealed := self._files.sealed.get(uid):
            return self._publish(uid, max(sealed), folder, fence)
        self._files.steps.setdefault(uid, set())
        for step in STEPS:
            self._compute(uid, step, sink)
        pause("seals")
        self._folder(uid)
        self._files.sealed.setdefault(uid, set()).add(payload.attempt)
        return self._publish(uid, payload.attempt, folder, fence)

    def manifest(self, folder: Path, uid: str) -> Manifest | None:
        """Return what the job has published in a folder."""
        found = self._files.published.get(folder)
        return found if found and found.uid == uid else None

    def has_work(self, uid: str) -> bool:
        """Say whether anything is left of a job that is not published."""
        return uid in self._files.steps or uid in self._files.sealed

    def _compute(self, uid: str, step: str, sink: ProgressSink) -> None:
        sink.raise_if_stopped()
        if step in self._files.steps.get(uid, ()):
            return
        self._watcher.begins_step(uid, step)
        pause(f"computes {step}")
        sink.raise_if_stopped()
        self._watcher.strike(uid, step)
        self._folder(uid).add(step)
        self._watcher.finished_step(uid, step)

    def _folder(self, uid: str) -> set[str]:
        if uid not in self._files.steps:
            raise FileNotFoundError(uid)
        return self._files.steps[uid]

    def _publish(self, uid: str, attempt: int, folder: Path, fence: Fence) -> PublishedResult:
        fence()
        pause("publishes")
        if attempt not in self._files.sealed.get(uid, ()):
            raise FileNotFoundError(uid)
        self._files.sealed[uid].remove(attempt)
        self._files.published[folder] = Manifest(uid=uid, attempt=attempt, files=())
        self._watcher.published(uid)
        pause("has published")
        return _finished(folder)


def _finished(folder: Path) -> PublishedResult:
    return PublishedResult(outputs=(Output(name="mesh.glb", uri=(folder / "mesh.glb").as_uri()),), steps=(), metrics=())
