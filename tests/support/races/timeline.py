"""Every version of every job, who wrote it, and what a watch of unfinished jobs tells of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from recon_api.resource import FINISHED_LABEL
from tests.support.races.store import Json, Store


class Writer(StrEnum):
    """Who changes a job."""

    OPERATOR = "operator"
    PERSON = "person"
    BY_HAND = "by hand"
    """A person who writes what is the operator's to write."""


@dataclass(frozen=True)
class Change:
    """One version of a job after another."""

    writer: Writer
    old: Json | None
    new: Json
    gone: bool = False
    """Whether the job went with this version."""


@dataclass(frozen=True)
class WatchEvent:
    """What a watch tells of: ADDED, MODIFIED, DELETED."""

    type: str
    object: Json


class Timeline:
    """A store all of whose versions are looked at."""

    def __init__(self, store: Store, note: Callable[[Change], None]) -> None:
        """Have `note` look at each version as it appears."""
        self.store, self._note = store, note
        self.latest: dict[str, Json] = {}
        """The jobs that exist, by name."""
        self.events: list[WatchEvent] = []
        """What a watch has to tell that nobody has heard yet."""

    async def create(self, manifest: Json) -> Json:
        """Create a job; return it."""
        return self._noted(Writer.PERSON, await self.store.create(manifest))

    async def patch(self, name: str, patch: Json, *, status: bool, writer: Writer) -> Json:
        """Merge into a job; return it."""
        return self._noted(writer, await self.store.patch(name, patch, status=status))

    async def delete(self, name: str) -> None:
        """Ask for the deletion of a job."""
        left = await self.store.delete(name)
        if left is not None:
            self._noted(Writer.PERSON, left)
        elif name in self.latest:
            self._end(Writer.PERSON, self.latest[name])

    def _noted(self, writer: Writer, new: Json) -> Json:
        metadata = new["metadata"]
        old = self.latest.get(metadata["name"])
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self._end(writer, new)  # the last version of a job may be told with the number of the one before
            return new
        if old is not None and old["metadata"]["resourceVersion"] == metadata["resourceVersion"]:
            return new
        self.latest[metadata["name"]] = new
        self._tell(old, new)
        self._note(Change(writer, old, new))
        return new

    def _end(self, writer: Writer, new: Json) -> None:
        old = self.latest.pop(new["metadata"]["name"], None)
        if old is not None and not _labelled(old):
            self.events.append(WatchEvent("DELETED", new))
        self._note(Change(writer, old, new, gone=True))

    def _tell(self, old: Json | None, new: Json) -> None:
        was_watched, is_watched = old is not None and not _labelled(old), not _labelled(new)
        if is_watched:
            self.events.append(WatchEvent("MODIFIED" if was_watched else "ADDED", new))
        elif was_watched:
            self.events.append(WatchEvent("DELETED", new))


def _labelled(job: Json) -> bool:
    return FINISHED_LABEL in job["metadata"].get("labels", {})
