"""Every key, channel and lifetime in Redis that operator and worker share. One function makes each key.

Database 0 is Celery's (queues, results); database 1 (`REDIS_STATE_DB`) holds the keys below. Redis may lose all of it:
the resource is the queue of record, and the next pass writes again what is missing.

| key | writer | meaning |
|---|---|---|
| `attempt:write-probe` | operator | that Redis takes writes |
| `attempt:{uid}` | operator | the only attempt of the job that may run; 0 while none may |
| `claim:{uid}.{n}` | worker, SET NX | one copy of a message may run, ever; the value names the owner |
| `lease:{uid}.{n}` | the claim's owner | the attempt is alive |
| `result:{uid}.{n}` | worker | how the attempt ended: a hint, the manifest in the storage is the proof |
| `workers`, `worker:{name}` | worker | which workers are connected |
| `cancel_request:{uid}`, `cancel:{uid}` | operator | see `recon_api.cancellation` |
| `durations:{model}:{quality}` | operator | how long the steps of finished jobs took, for estimates |
| `discard:{uid}` | operator | the job is to be removed: its outputs may be deleted |
| `discarded:{uid}` | worker | the outputs of a job that is to be removed are deleted |
| `credentials:{uid}.{n}` | operator | sealed values of Secrets for one attempt; its worker takes them, and they are gone |
| `job_files` | worker | hash by UID: the job has logs in the storage, which go once the job is gone |
| `refused_messages` | worker | the last messages that were none of the operator's, for people to look at |
"""

CANCELLATION_TTL_S = 3600
"""How long a cancel flag lives unless it is asserted again; the operator does so while the resource asks."""

RECORD_TTL_S = 7 * 24 * 3600
"""How long attempts, claims and results are kept: longer than any job runs, so that a late copy of a message is refused."""

VISIBILITY_TIMEOUT_S = 14_400
"""Of Celery messages that are taken and not acknowledged; the shortest of all clients' counts, so it is set once, here.

Messages are acknowledged at once, so it hardly ever acts.
"""

TASK_NAME = "reconstruction.process"
DISCARD_TASK_NAME = "reconstruction.discard"
DEFAULT_GPU_CLASS = "any"


def queue_name(gpu_class: str) -> str:
    """Return the Celery queue of a worker pool."""
    return f"reconstruction.{gpu_class}"


def task_id(uid: str, attempt: int) -> str:
    """Return the Celery task id of an attempt, `{uid}.{attempt}`; it also names the attempt's keys."""
    return f"{uid}.{attempt}"


def discard_task_id(uid: str) -> str:
    """Return the id of a message that asks for the outputs of a job to be deleted; it identifies the message in the queue."""
    return f"{uid}.discard"


def parse_task_id(value: str) -> tuple[str, int]:
    """Return (uid, attempt) of a task id; raise ValueError where it is not one of ours."""
    uid, _, attempt = value.rpartition(".")
    if not uid:
        raise ValueError(f"not a task id: {value!r}")
    return uid, int(attempt)


def attempt_key(uid: str) -> str:
    """Return the key that holds the number of the only attempt that may run."""
    return f"attempt:{uid}"


WRITE_PROBE_KEY = attempt_key("write-probe")
"""Written by the operator with each reading: a Redis that answers and takes no writes is not taken for one that works.

It has the form of an attempt's key, so that the rules of the operator's user allow it; no UID is so.
"""

WRITE_PROBE_TTL_S = 60

NO_ATTEMPT = 0
"""Value of `attempt:{uid}` while none may run: the job is held, and its attempt is to stop and keep its finished steps."""


def claim_key(uid: str, attempt: int) -> str:
    """Return the key by which one process takes an attempt, once and for ever."""
    return f"claim:{task_id(uid, attempt)}"


def lease_key(uid: str, attempt: int) -> str:
    """Return the key that lives while the attempt's process does."""
    return f"lease:{task_id(uid, attempt)}"


def result_key(uid: str, attempt: int) -> str:
    """Return the key that says how the attempt ended."""
    return f"result:{task_id(uid, attempt)}"


DISCARD_TTL_S = 180
"""How long outputs may be deleted after the operator has last said so; it says so each minute while they are to go."""


def discard_key(uid: str) -> str:
    """Return the key without which a worker deletes no outputs: the job's owner may have changed their mind meanwhile."""
    return f"discard:{uid}"


DISCARDED_TTL_S = 3600
"""How long a worker's word that outputs are deleted is kept; the operator asks again where it was lost."""


def discarded_key(uid: str) -> str:
    """Return the key by which a worker says that the outputs of a job are deleted."""
    return f"discarded:{uid}"


JOB_FILES_KEY = "job_files"
"""A hash of `JobFiles`, by the UIDs of jobs."""

CREDENTIALS_TTL_S = 24 * 3600
"""How long credentials wait for the worker; an attempt that comes later is tried again, and gets new ones."""


def credentials_key(uid: str, attempt: int) -> str:
    """Return the key that holds what only this attempt is given (`recon_api.credentials`)."""
    return f"credentials:{task_id(uid, attempt)}"


def durations_key(model: str, quality: str) -> str:
    """Return the key of the list of `FinishedRun`s of a model at a quality, the newest first."""
    return f"durations:{model}:{quality}"


REFUSED_MESSAGES_KEY = "refused_messages"
"""A list of `RefusedMessage`s, the newest first."""

REFUSED_MESSAGES_KEPT = 100
"""Entries of that list; older ones go."""

REFUSED_MESSAGE_CHARS = 1000
"""How much of a message an entry keeps: enough to see who sent it."""

WORKERS_KEY = "workers"
"""A set: the names of all workers ever seen; those whose `worker:{name}` has lapsed are gone."""


def worker_key(name: str) -> str:
    """Return the key under which a connected worker describes itself."""
    return f"worker:{name}"


def cancel_request_key(job_id: str) -> str:
    """Return the flag of the first step of a cancellation."""
    return f"cancel_request:{job_id}"


def cancel_key(job_id: str) -> str:
    """Return the flag of the second step: the job must stop."""
    return f"cancel:{job_id}"


STOP_CHANNEL_PATTERN = "stop:*"


def stop_channel(uid: str) -> str:
    """Return the channel on which the running attempt is told at once to look at its flags."""
    return f"stop:{uid}"


WORKERS_CHANNEL = "workers"
"""Published to by a worker that came or went, so that the operator looks at the queue at once."""

PROGRESS_CHANNEL_PATTERN = "celery-task-meta-*"
"""Celery's Redis result backend publishes each stored state under the name of its key."""


def progress_key(uid: str, attempt: int) -> str:
    """Return Celery's own key (database 0) of an attempt's latest state; also its channel."""
    return f"celery-task-meta-{task_id(uid, attempt)}"
