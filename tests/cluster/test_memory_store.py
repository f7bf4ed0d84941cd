"""The API server in memory, on which most races run, answers as the real one does."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recon_api.resource import API_VERSION, FINALIZER, FINISHED_LABEL, KIND
from recon_operator.clients.kubernetes_api import KubernetesApi, KubernetesError
from tests.support.control_plane import ControlPlane
from tests.support.races.api_server import ApiServerStore, connected, make_namespace
from tests.support.races.clock import Clock
from tests.support.races.memory_store import MemoryStore
from tests.support.races.store import Json, Store

NAME = "chair"
ELSEWHERE = "999999999"
"""A version that the job is not at."""

CONDITION = {"type": "Complete", "status": "True", "reason": "Completed", "lastTransitionTime": "2026-01-01T00:00:00Z"}

SPECS: tuple[Json, ...] = (
    {"cancellation": "Requested"},
    {"cancellation": "Confirmed"},
    {"cancellation": None},
    {"suspend": True},
    {"suspend": False},
    {"priority": 3},
)
STATUSES: tuple[Json, ...] = (
    {"phase": "Running", "executionAttempts": 1},
    {"phase": "Queued", "queue": {"position": 2}},
    {"queue": None},
    {"phase": "Succeeded"},
    {"phase": "Succeeded", "conditions": [CONDITION]},
    {"phase": "Cancelled", "conditions": [{**CONDITION, "type": "Cancelled", "reason": "Cancelled"}]},
    {"conditions": None},
    {"cancellation": {"state": "Requested"}},
    {"cancellation": {"state": "Expired"}},
    {"cancellation": {"state": "Withdrawn"}},
    {"cancellation": None},
)
METADATA: tuple[Json, ...] = (
    {"finalizers": [FINALIZER]},
    {"finalizers": [FINALIZER, "example.com/other"]},
    {"finalizers": []},
    {"finalizers": None},
    {"labels": {FINISHED_LABEL: "true"}},
    {"labels": {FINISHED_LABEL: None}},
)

Answer = Json | str | None
Call = Callable[[Store], Coroutine[Any, Any, Any]]


class Operation:
    """One call to a store, and how it reads in a failure."""

    def __init__(self, text: str, call: Call) -> None:
        self._text, self.call = text, call

    def __repr__(self) -> str:
        return self._text


def create(spec: Json) -> Operation:
    """Create the job."""
    manifest = {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "metadata": {"name": NAME},
        "spec": {"model": "synthetic", **spec},
    }
    return Operation(f"create with {spec}", lambda store: store.create(manifest))


def patch(change: Json, version: str, *, status: bool) -> Operation:
    """Change the job at the version that it has (`latest`), at another one, or at whatever it has (``)."""

    async def call(store: Store) -> Json:
        found = {"latest": (await store.get(NAME))["metadata"]["resourceVersion"]}.get(version, version)
        metadata = {**change.get("metadata", {}), **({"resourceVersion": found} if found else {})}
        return await store.patch(NAME, {**change, "metadata": metadata}, status=status)

    return Operation(f"patch {'status' if status else 'job'} at {version or 'any version'}: {change}", call)


def delete() -> Operation:
    """Delete the job."""
    return Operation("delete", lambda store: store.delete(NAME))


versions = st.sampled_from(["", "latest", "latest", ELSEWHERE])
operations = st.one_of(
    st.builds(create, st.sampled_from([*SPECS[:4], {}])),
    st.builds(lambda spec, at: patch({"spec": spec}, at, status=False), st.sampled_from(SPECS), versions),
    st.builds(lambda status, at: patch({"status": status}, at, status=True), st.sampled_from(STATUSES), versions),
    st.builds(lambda status: patch({"status": status}, "", status=False), st.sampled_from(STATUSES)),
    st.builds(lambda spec: patch({"spec": spec}, "", status=True), st.sampled_from(SPECS)),
    st.builds(lambda found, at: patch({"metadata": found}, at, status=False), st.sampled_from(METADATA), versions),
    st.builds(delete),
)


class Stores:
    """A store of each kind, both empty, and what they answer."""

    def __init__(self, api: KubernetesApi, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.real = ApiServerStore(api, loop.run_until_complete(make_namespace(api)))
        self.memory = MemoryStore(Clock())

    def answers(self, operation: Operation) -> tuple[Answer, Answer]:
        """Return what the real one answers, and the other."""
        return self._answer(self.real, operation), self._answer(self.memory, operation)

    def jobs(self) -> tuple[Answer, Answer]:
        """Return the job that each has."""
        return self.answers(Operation("get", lambda store: store.get(NAME)))

    def _answer(self, store: Store, operation: Operation) -> Answer:
        try:
            return comparable(self._loop.run_until_complete(operation.call(store)))
        except KubernetesError as error:
            return type(error).__name__


def comparable(job: Json | None) -> Json | None:
    """Return the part of a job that any store makes the same."""
    if job is None:
        return None
    metadata = job["metadata"]
    kept = {key: metadata[key] for key in ("name", "generation", "labels", "finalizers") if metadata.get(key)}
    return {"metadata": kept, "deleted": "deletionTimestamp" in metadata, "spec": job["spec"], "status": job["status"]}


@pytest.fixture(scope="module")
def new_stores(control_plane: ControlPlane) -> Iterator[Callable[[], Stores]]:
    """What makes stores."""
    with asyncio.Runner() as runner, connected(control_plane, runner.get_loop()) as api:
        yield lambda: Stores(api, runner.get_loop())


@given(st.lists(operations, min_size=5, max_size=25))
@settings(max_examples=60, derandomize=True)
def test_both_stores_answer_the_same(new_stores: Callable[[], Stores], found: list[Operation]) -> None:
    stores = new_stores()
    for operation in [create({}), *found]:
        real, memory = stores.answers(operation)
        assert memory == real
    real, memory = stores.jobs()
    assert memory == real
