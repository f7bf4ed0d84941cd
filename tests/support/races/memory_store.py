"""An API server in memory that does to our one kind what the real one does (tests/cluster/test_races.py compares them)."""

import copy
import itertools
import uuid
from collections.abc import Iterator

from recon_api.crd import unseen_status
from recon_api.spec import ReconstructionJobSpec
from recon_operator.clients.kubernetes_api import ConflictError, GoneError, RefusedError
from tests.support.races.clock import Clock
from tests.support.races.rules import refusal
from tests.support.races.store import Json


class MemoryStore:
    """Versions, merge patches, generations, finalizers, and the rules on cancellation and final statuses."""

    def __init__(self, clock: Clock, namespace: str = "studio") -> None:
        self.namespace = namespace
        self._clock = clock
        self._jobs: dict[str, Json] = {}
        self._versions: Iterator[int] = itertools.count(101)
        self._latest = 100

    async def create(self, manifest: Json) -> Json:
        """Create a job; return it."""
        job = {**manifest, "spec": _with_defaults(manifest["spec"])}
        _check(None, job)
        if (name := job["metadata"]["name"]) in self._jobs:
            raise ConflictError(f"409: {name} exists")
        job["metadata"] = {
            **job["metadata"],
            "namespace": self.namespace,
            "uid": str(uuid.UUID(int=next(self._versions))),
            "generation": 1,
            "creationTimestamp": self._timestamp(),
        }
        return self._keep(job | {"status": unseen_status()})

    async def get(self, name: str) -> Json:
        """Return a job."""
        if name not in self._jobs:
            raise GoneError(f"404: {name}")
        return copy.deepcopy(self._jobs[name])

    async def list(self) -> tuple[list[Json], str]:
        """Return all jobs, and the version at which they were listed."""
        return copy.deepcopy(list(self._jobs.values())), str(self._latest)

    async def patch(self, name: str, patch: Json, *, status: bool) -> Json:
        """Merge into the status, or else into everything but the status; return the job."""
        old = await self.get(name)
        expected = patch.get("metadata", {}).get("resourceVersion")
        if expected not in (None, old["metadata"]["resourceVersion"]):
            raise ConflictError(f"409: {name} is at {old['metadata']['resourceVersion']}, not {expected}")
        new: Json = merged(old, patch)
        kept = ("metadata", "spec") if status else ("status",)
        new |= {part: copy.deepcopy(old[part]) for part in kept if part in old}
        new["metadata"] = _with_fixed_fields(new["metadata"], old["metadata"])
        _check(old, new)
        if new == old:
            return old
        if new["spec"] != old["spec"]:
            new["metadata"]["generation"] += 1
        return self._keep(new)

    async def delete(self, name: str) -> Json | None:
        """Ask for a job to be deleted; return what is left of it until its finalizers are gone."""
        job = await self.get(name)
        metadata = job["metadata"]
        if not metadata.get("finalizers"):
            del self._jobs[name]
            self._latest = next(self._versions)
            return None
        if "deletionTimestamp" in metadata:
            return job
        metadata |= {"deletionTimestamp": self._timestamp(), "generation": metadata["generation"] + 1}
        return self._keep(job)

    def _keep(self, job: Json) -> Json:
        metadata = job["metadata"]
        self._latest = next(self._versions)
        metadata["resourceVersion"] = str(self._latest)
        if "deletionTimestamp" in metadata and not metadata.get("finalizers"):
            self._jobs.pop(metadata["name"], None)
        else:
            self._jobs[metadata["name"]] = job
        return copy.deepcopy(job)

    def _timestamp(self) -> str:
        return self._clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")


def merged(target: Json, patch: Json) -> Json:
    """Return a JSON merge patch (RFC 7396) applied."""
    result = dict(target)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            before = result.get(key)
            result[key] = merged(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = copy.deepcopy(value)
    return result


def _with_defaults(spec: Json) -> Json:
    return ReconstructionJobSpec.model_validate(spec).model_dump(mode="json", by_alias=True, exclude_none=True)


FIXED = ("name", "namespace", "uid", "generation", "creationTimestamp", "deletionTimestamp", "resourceVersion")


def _with_fixed_fields(new: Json, old: Json) -> Json:
    fixed = {field: old[field] for field in FIXED if field in old}
    kept = {field: value for field, value in new.items() if field not in FIXED and value not in ([], {})}
    return kept | fixed


def _check(old: Json | None, new: Json) -> None:
    if old is not None and "deletionTimestamp" in old["metadata"]:
        added = set(new["metadata"].get("finalizers", ())) - set(old["metadata"].get("finalizers", ()))
        if added:
            raise RefusedError("422: no new finalizers can be added if the object is being deleted")
    if why := refusal(old, new):
        raise RefusedError(f"422: {why}")
