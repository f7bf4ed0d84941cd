"""What an operator calls, with a gate before each call: the API server, Redis and Celery."""

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Protocol, TypeVar

from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError

from recon_api.payload import Outcome, TaskPayload
from recon_api.resource import ReconstructionJob
from recon_operator.act.events import EventPublisher
from recon_operator.clients.celery_client import BrokerError, CeleryClient
from recon_operator.clients.kubernetes_api import KubernetesApi, UnavailableError
from recon_operator.clients.redis_state import RedisState, Snapshot
from recon_operator.decide.decision import Event
from recon_operator.estimates.run_history import RunHistory
from tests.support.races.broker import Broker
from tests.support.races.gates import Gates, Verdict
from tests.support.races.store import Json
from tests.support.races.timeline import Timeline, Writer

T = TypeVar("T")


class GatedApi(KubernetesApi):
    """The API server, behind gates; an answer waits at one too, for the watch can be quicker."""

    def __init__(self, timeline: Timeline, gates: Gates) -> None:
        self._timeline, self._gates = timeline, gates

    @property
    def server(self) -> str:
        """Nowhere."""
        return "simulated"

    async def list_jobs(self, namespace: str | None, selector: str = "") -> AsyncIterator[tuple[list[Json], str]]:
        """Yield all unfinished jobs at once."""
        items, version = await self._gates.through("list", self._timeline.store.list, UnavailableError)
        key = selector.removeprefix("!")
        yield [job for job in items if key not in job["metadata"].get("labels", {})], version

    async def get_job(self, namespace: str, name: str) -> Json:
        """Return one job."""
        return await self._gates.through("get", lambda: self._timeline.store.get(name), UnavailableError)

    async def patch_job(self, namespace: str, name: str, patch: Json) -> Json:
        """Merge into a job's metadata."""
        return await self._patch("patch metadata", name, patch, status=False)

    async def patch_status(self, namespace: str, name: str, patch: Json) -> Json:
        """Merge into a job's status."""
        return await self._patch("patch status", name, patch, status=True)

    async def _patch(self, label: str, name: str, patch: Json, *, status: bool) -> Json:
        async def call() -> Json:
            return await self._timeline.patch(name, patch, status=status, writer=Writer.OPERATOR)

        answer = await self._gates.through(label, call, UnavailableError)
        if await self._gates.stand(f"{label}: answer") is not Verdict.DONE:
            raise UnavailableError(f"the answer to {label} is lost")
        return answer


class Reads(Protocol):
    """Is told what the operator reads."""

    def asks(self, uid: str) -> None:
        """Note that it begins to read about a job."""

    def told(self, uid: str, completed: bool) -> None:
        """Note that it has read, and whether it was told that the job is completed."""


class GatedState(RedisState):
    """Redis, behind gates; a read of a job's keys may be torn, for Redis does not hold others up in between."""

    def __init__(self, shared: RedisState, gates: Gates, watcher: Reads) -> None:
        """Use the connections of `shared`; the watcher hears of each job that is read."""
        self._watcher = watcher
        self.state, self.broker, self.results = shared.state, shared.broker, shared.results
        self.address, self.available = shared.address, None
        self._refusal = ""
        self._gates = gates
        self.tear_at: int | None = None
        """After how many commands the next pipeline stands still."""
        self.down = False

    async def read(self, attempts: Iterable[tuple[str, int]], gpu_classes: Iterable[str] = ()) -> Snapshot:
        """Read, and note what is read of results."""
        asked = list(attempts)
        for uid, _ in asked:
            self._watcher.asks(uid)
        snapshot = await super().read(asked, gpu_classes)
        for uid, number in asked:
            result = snapshot.jobs[uid].result
            self._watcher.told(
                uid, result is not None and (result.outcome, result.attempt) == (Outcome.COMPLETED, number)
            )
        return snapshot

    async def _guard(self, call: Awaitable[T], *, probe: bool = False) -> T:
        try:
            verdict = await self._gates.stand(_caller())
        except BaseException:  # the operator dies here
            _drop(call)
            raise
        if self.down or verdict is Verdict.REFUSED:
            _drop(call)
            return await super()._guard(_refused())
        answer = await super()._guard(call, probe=probe)
        if verdict is Verdict.LOST:
            return await super()._guard(_refused())
        return answer

    async def _read_jobs(self, asked: Any) -> Any:
        tear_at, self.tear_at = self.tear_at, None
        if tear_at is None:
            return await super()._read_jobs(asked)
        shared, self.state = self.state, _Torn(self.state, tear_at, self._gates)  # type: ignore[assignment]
        try:
            reading = super()._read_jobs(asked)
            return await reading
        finally:
            self.state = shared


class _Torn:
    """A client whose pipeline stands still after some commands."""

    def __init__(self, client: Any, tear_at: int, gates: Gates) -> None:
        self._client, self._tear_at, self._gates = client, tear_at, gates

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def pipeline(self, *, transaction: bool) -> Pipeline:
        """Return such a pipeline."""
        pipe: Pipeline = self._client.pipeline(transaction=transaction)
        execute = pipe.execute

        async def torn(raise_on_error: bool = True) -> list[Any]:
            commands = pipe.command_stack
            pipe.command_stack = commands[: self._tear_at]
            first = await execute(raise_on_error)
            await self._gates.stand("torn read")
            pipe.command_stack = commands[self._tear_at :]
            return [*first, *await execute(raise_on_error)]

        pipe.execute = torn  # type: ignore[method-assign]
        return pipe


class GatedCelery(CeleryClient):
    """Celery's client, behind gates."""

    def __init__(self, broker: Broker, gates: Gates, kill: Callable[[str, int], None]) -> None:
        self._broker, self._gates, self._kill = broker, gates, kill

    async def send(self, payload: TaskPayload, gpu_class: str) -> None:
        """Send an attempt."""
        await self._through("send", lambda: self._broker.send(payload))

    async def discard(
        self, uid: str, namespace: str, gpu_class: str, output_path: str | None = None, *, logs: bool = False
    ) -> None:
        """Have a job's files deleted."""

        def refused(why: str) -> BrokerError:
            self._broker.lost_discards += 1
            return BrokerError(why)

        async def call() -> None:
            self._broker.send_discard(uid, namespace)

        await self._gates.through("discard", call, refused)

    async def kill(self, uid: str, attempt: int) -> None:
        """Kill the process of an attempt."""
        await self._through("kill", lambda: self._kill(uid, attempt))

    async def _through(self, label: str, act: Callable[[], None]) -> None:
        async def call() -> None:
            act()

        await self._gates.through(label, call, BrokerError)


class NotedEvents(EventPublisher):
    """Events that are noted and published nowhere."""

    def __init__(self) -> None:
        self.published: list[str] = []

    def publish(self, job: ReconstructionJob, event: Event) -> None:
        """Note the reason."""
        self.published.append(event.reason.name)


class NoHistory(RunHistory):
    """No finished jobs to learn from."""

    def __init__(self) -> None:
        """Read nothing."""

    async def load(self, jobs: object) -> None:
        """Read nothing."""

    def estimate(self, job: ReconstructionJob, photos: int | None, gpu: str) -> None:
        """Expect nothing."""


def _caller() -> str:
    """Return the name of the method of `RedisState` that calls Redis."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_code.co_name in {"_caller", "_guard"}:
        frame = frame.f_back
    return f"redis {frame.f_code.co_name if frame else '?'}"


def _drop(call: Awaitable[object]) -> None:
    if inspect.iscoroutine(call):
        call.close()


async def _refused() -> Any:
    raise RedisConnectionError("Redis does not answer")
