"""The two steps of a cancellation as flags in Redis.

`request_cancellation` sets `cancel_request:{job_id}` = `pending`; `confirm_cancellation` turns a pending request into
`cancel:{job_id}` = `1`; both live for `CANCELLATION_TTL_S`. The resource is the truth: while it asks for a
cancellation the operator asserts the flags again, so neither their lifetime nor a lost Redis forgets one.
"""

from typing import TYPE_CHECKING

from recon_api.keys import CANCELLATION_TTL_S, cancel_key, cancel_request_key

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import Pipeline

PENDING = b"pending"
CONFIRMED = b"1"


def request_cancellation(redis: "Redis", job_id: str) -> None:
    """Ask for the cancellation of a job; nothing stops yet. Asking again renews the request."""
    redis.set(cancel_request_key(job_id), PENDING, ex=CANCELLATION_TTL_S)


def confirm_cancellation(redis: "Redis", job_id: str) -> bool:
    """Turn a pending request into a cancellation, in one transaction.

    Returns whether the job is to be cancelled now; False where no request is pending, and then nothing changes.
    """
    request = cancel_request_key(job_id)

    def confirm(pipe: "Pipeline") -> bool:
        pending = pipe.get(request) is not None
        pipe.multi()
        if pending:
            pipe.set(cancel_key(job_id), CONFIRMED, ex=CANCELLATION_TTL_S)
            pipe.delete(request)
        return pending

    # redis-py's annotation forgets that with value_from_callable the function's value is returned.
    return bool(redis.transaction(confirm, request, value_from_callable=True))  # type: ignore[arg-type]


def is_job_cancelled(redis: "Redis", job_id: str) -> bool:
    """Say whether the job must stop."""
    return bool(redis.exists(cancel_key(job_id)))


def cancel_pending(redis: "Redis", job_id: str) -> bool:
    """Say whether a request waits for its confirmation."""
    return bool(redis.exists(cancel_request_key(job_id)))


def clear_cancellation(redis: "Redis", job_id: str) -> None:
    """Forget both steps: the request was withdrawn or expired, or the job has ended."""
    redis.delete(cancel_request_key(job_id), cancel_key(job_id))
