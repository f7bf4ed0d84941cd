"""The keys that operator and workers share, read for many jobs at once and written for one."""

import json
import logging
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig

from recon_api import keys
from recon_api.cancellation import CONFIRMED, PENDING
from recon_api.payload import AttemptResult, ClaimOwner, JobFiles, ProgressMeta, WorkerDescription
from recon_operator.clients.fence import Fence
from recon_operator.clients.fenced_redis import fence_in

log = logging.getLogger(__name__)
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

FIELDS_PER_JOB = 6


class StateUnavailableError(Exception):
    """Redis did not answer: what it holds is unknown."""

    def __init__(self, said: str, *, refused: bool) -> None:
        """Tell what was said; `refused` where Redis let this operator not in: somebody must put that right."""
        super().__init__(said)
        self.refusal = said if refused else ""


@dataclass(frozen=True)
class JobKeys:
    """What Redis holds of one job and its latest attempt."""

    stop_flag_set: bool = False
    cancellation_requested: bool = False
    authorised: int | None = None
    claim: ClaimOwner | None = None
    lease: ClaimOwner | None = None
    result: AttemptResult | None = None


@dataclass(frozen=True)
class Snapshot:
    """What Redis holds of some jobs, and of the workers."""

    jobs: dict[str, JobKeys] = field(default_factory=dict)
    """By UID."""
    waiting: frozenset[str] = frozenset()
    """Task ids of messages in the queues that were asked for."""
    progress: dict[str, ProgressMeta] = field(default_factory=dict)
    """Latest report, by task id."""
    workers: dict[str, WorkerDescription] = field(default_factory=dict)
    """Connected workers by name, read after everything else."""


class RedisState:
    """Both databases: 1 with our own keys, 0 with Celery's queues and results. Calls fail soon rather than wait."""

    def __init__(self, broker_url: str, result_url: str, state_db: int, timeout_s: float, fence: Fence) -> None:
        """Connect at the first call; nothing passes a closed fence."""
        self.state = _client(broker_url, timeout_s, state_db)
        self.broker = _client(broker_url, timeout_s)
        self.results = _client(result_url, timeout_s)
        for client in (self.state, self.broker, self.results):
            fence_in(client, fence)
        options = self.state.connection_pool.connection_kwargs
        self.address = f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
        self.available: bool | None = None
        self._refusal = ""

    async def close(self) -> None:
        """Close all connections."""
        for client in (self.state, self.broker, self.results):
            with suppress(RedisError, OSError):
                await client.aclose()

    async def read(self, attempts: Iterable[tuple[str, int]], gpu_classes: Iterable[str] = ()) -> Snapshot:
        """Read what is known of these (uid, latest attempt), and which messages wait in the queues of these gpuClasses.

        The order matters: the order to stop before claims, claims before queues, and the registry last, so that what is
        missing in a later read was missing all the while. A Redis that takes no writes counts as unavailable: workers cannot
        renew what is read here, and nothing can be sent. Raises StateUnavailableError.
        """
        await self._guard(self.state.set(keys.WRITE_PROBE_KEY, 1, ex=keys.WRITE_PROBE_TTL_S), probe=True)
        asked = list(attempts)
        open_attempts = [(uid, number) for uid, number in asked if number]
        jobs, names = await self._guard(self._read_jobs(asked))
        waiting = await self._guard(self._read_queues(list(gpu_classes)))
        progress = await self._guard(self._read_progress(open_attempts))
        workers = await self._guard(self._read_workers(names))
        return Snapshot(jobs, waiting, progress, workers)

    async def living_owner(self, uid: str, attempt: int) -> ClaimOwner | None:
        """Return who holds an attempt's lease, unless its worker has restarted since. Raises StateUnavailableError."""
        owner = _parse(ClaimOwner, await self._guard(self.state.get(keys.lease_key(uid, attempt))))
        if owner is None:
            return None
        workers = await self._guard(self._read_workers({owner.worker}))
        return None if has_restarted(owner, workers) else owner

    async def authorise(self, uid: str, attempt: int) -> None:
        """Let workers run this attempt of a job and no other. Raises StateUnavailableError."""
        await self._guard(self.state.set(keys.attempt_key(uid), attempt, ex=keys.RECORD_TTL_S))

    async def set_request_flag(self, uid: str) -> None:
        """Set the flag of the first step of a cancellation. Raises StateUnavailableError."""
        await self._guard(self.state.set(keys.cancel_request_key(uid), PENDING, ex=keys.CANCELLATION_TTL_S))

    async def clear_flags(self, uid: str) -> None:
        """Clear the flags of both steps. Raises StateUnavailableError."""
        await self._guard(self.state.delete(keys.cancel_request_key(uid), keys.cancel_key(uid)))

    async def set_stop_flag(self, uid: str) -> None:
        """Set the flag of the second step, and wake the attempt to see it. Raises StateUnavailableError."""
        pipe = self.state.pipeline(transaction=True)
        pipe.set(keys.cancel_key(uid), CONFIRMED, ex=keys.CANCELLATION_TTL_S)
        pipe.delete(keys.cancel_request_key(uid))
        pipe.publish(keys.stop_channel(uid), CONFIRMED)
        await self._guard(pipe.execute())

    async def hold(self, uid: str) -> None:
        """Let workers run no attempt of a job, and wake the one that does. Raises StateUnavailableError."""
        pipe = self.state.pipeline(transaction=True)
        pipe.set(keys.attempt_key(uid), keys.NO_ATTEMPT, ex=keys.RECORD_TTL_S)
        pipe.publish(keys.stop_channel(uid), CONFIRMED)
        await self._guard(pipe.execute())

    async def forget(self, uid: str) -> None:
        """Delete authorisation and flags at once, so that no copy of a message passes. Raises StateUnavailableError."""
        await self._guard(self.state.delete(keys.attempt_key(uid), keys.cancel_key(uid), keys.cancel_request_key(uid)))

    async def put_credentials(self, uid: str, attempt: int, sealed: bytes) -> None:
        """Leave what only this attempt is given, and delete what the one before has not taken. Raises StateUnavailableError."""
        pipe = self.state.pipeline(transaction=True)
        pipe.delete(keys.credentials_key(uid, attempt - 1))
        pipe.set(keys.credentials_key(uid, attempt), sealed, ex=keys.CREDENTIALS_TTL_S)
        await self._guard(pipe.execute())

    async def drop_credentials(self, uid: str, attempt: int) -> None:
        """Delete what no worker has taken. Raises StateUnavailableError."""
        if attempt:
            await self._guard(self.state.delete(keys.credentials_key(uid, attempt)))

    async def allow_discard(self, uid: str) -> None:
        """Let workers delete the outputs of a job for a while. Raises StateUnavailableError."""
        await self._guard(self.state.set(keys.discard_key(uid), 1, ex=keys.DISCARD_TTL_S))

    async def forbid_discards(self, uids: Collection[str]) -> None:
        """Let no worker delete the outputs of these jobs any more. Raises StateUnavailableError."""
        if uids:
            await self._guard(self.state.delete(*(keys.discard_key(uid) for uid in uids)))

    async def discarded(self, uids: Sequence[str]) -> set[str]:
        """Return which of these jobs have no outputs left, as workers say. Raises StateUnavailableError."""
        values = await self._guard(self.state.mget([keys.discarded_key(uid) for uid in uids])) if uids else []
        return {uid for uid, value in zip(uids, values, strict=True) if value is not None}

    async def job_files(self) -> dict[str, JobFiles]:
        """Return which jobs have logs in the storage, by UID. Raises StateUnavailableError.

        Rules of a Redis user that are older than these logs do not let them be read; then there are none.
        """
        found: dict[str, JobFiles] = {}
        try:
            async for uid, value in self.state.hscan_iter(keys.JOB_FILES_KEY):
                if files := _parse(JobFiles, value):
                    found[uid.decode()] = files
        except ResponseError as error:
            log.warning("which jobs have logs cannot be read: %s", error)
        except (RedisError, OSError, TimeoutError) as error:
            raise StateUnavailableError(str(error), refused=False) from error
        return found

    async def _read_jobs(self, asked: Sequence[tuple[str, int]]) -> tuple[dict[str, JobKeys], set[str]]:
        pipe = self.state.pipeline(transaction=False)
        for uid, attempt in asked:
            pipe.get(keys.cancel_key(uid))
            pipe.get(keys.cancel_request_key(uid))
            pipe.get(keys.attempt_key(uid))
            pipe.get(keys.claim_key(uid, attempt))
            pipe.get(keys.lease_key(uid, attempt))
            pipe.get(keys.result_key(uid, attempt))
        pipe.smembers(keys.WORKERS_KEY)
        *values, names = await pipe.execute()
        rows = [values[i : i + FIELDS_PER_JOB] for i in range(0, len(values), FIELDS_PER_JOB)]
        jobs = {uid: _job_keys(*row) for (uid, _), row in zip(asked, rows, strict=True)}
        return jobs, {name.decode() for name in names}

    async def _read_queues(self, gpu_classes: Sequence[str]) -> frozenset[str]:
        if not gpu_classes:
            return frozenset()
        pipe = self.broker.pipeline(transaction=False)
        for gpu_class in gpu_classes:
            pipe.lrange(keys.queue_name(gpu_class), 0, -1)
        return frozenset(task for queue in await pipe.execute() for task in map(_message_id, queue) if task)

    async def _read_progress(self, attempts: Sequence[tuple[str, int]]) -> dict[str, ProgressMeta]:
        if not attempts:
            return {}
        values = await self.results.mget([keys.progress_key(uid, number) for uid, number in attempts])
        found = {keys.task_id(*attempt): progress_of(value) for attempt, value in zip(attempts, values, strict=True)}
        return {task: meta for task, meta in found.items() if meta}

    async def _read_workers(self, names: set[str]) -> dict[str, WorkerDescription]:
        if not names:
            return {}
        values = await self.state.mget([keys.worker_key(name) for name in sorted(names)])
        workers = [_parse(WorkerDescription, value) for value in values]
        return {worker.name: worker for worker in workers if worker}

    async def _guard(self, call: Awaitable[T], *, probe: bool = False) -> T:
        """Await a call; record whether Redis answers, and say so once when that changes.

        That Redis refuses the operator ends with a `probe` that it takes: it may answer other calls all the while.
        """
        try:
            value = await call
        except (RedisError, OSError, TimeoutError) as error:
            refused = isinstance(error, AuthenticationError | ResponseError)
            unavailable = StateUnavailableError(str(error), refused=refused)
            if self.available is not False or unavailable.refusal != self._refusal:
                verb = "is refused by" if refused else "waits for"
                log.warning("the operator %s Redis at %s: %s", verb, self.address, error or type(error).__name__)
            self.available, self._refusal = False, unavailable.refusal
            raise unavailable from error
        if self._refusal and not probe:
            return value
        if self.available is False:
            log.info("Redis at %s answers again", self.address)
        self.available, self._refusal = True, ""
        return value


def has_restarted(owner: ClaimOwner, workers: Mapping[str, WorkerDescription]) -> bool:
    """Say whether the owner's worker has registered as another process; the registry must be read after the owner."""
    registered = workers.get(owner.worker)
    return registered is not None and registered.boot_id != owner.boot_id


def progress_of(value: bytes | str | None) -> ProgressMeta | None:
    """Return the progress in a state that Celery has stored, if it is one of a running task."""
    try:
        stored = json.loads(value) if value else {}
        return ProgressMeta.model_validate(stored["result"]) if stored.get("status") == "PROGRESS" else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _client(url: str, timeout_s: float, db: int | None = None) -> Redis:
    options: dict[str, Any] = {
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),  # a pass is tried again as a whole
        "health_check_interval": 10,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),  # a question only Redis Enterprise knows
    }
    client: Redis = Redis.from_url(url, **options)
    if db is not None:
        client.connection_pool.connection_kwargs["db"] = db
    return client


def _job_keys(cancel: Any, request: Any, attempt: Any, claim: Any, lease: Any, result: Any) -> JobKeys:
    return JobKeys(
        stop_flag_set=cancel is not None,
        cancellation_requested=request is not None,
        authorised=int(attempt) if attempt is not None and attempt.isdigit() else None,
        claim=_parse(ClaimOwner, claim),
        lease=_parse(ClaimOwner, lease),
        result=_parse(AttemptResult, result),
    )


def _parse(model: type[M], value: bytes | str | None) -> M | None:
    """Return a stored value as its model, or nothing where it is missing or of no known form."""
    if value is None:
        return None
    try:
        return model.model_validate_json(value)
    except ValidationError:
        log.warning("a %s in Redis cannot be read and is ignored: %r", model.__name__, value[:200])
        return None


def _message_id(message: bytes) -> str:
    """Return the task id of a message as kombu stores it, or nothing."""
    try:
        return str(json.loads(message)["headers"]["id"])
    except (ValueError, KeyError, TypeError, RecursionError):  # anybody may have put it there
        return ""
