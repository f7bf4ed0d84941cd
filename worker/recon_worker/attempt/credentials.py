"""Taking the credentials that the operator has sealed for an attempt. They stay in memory."""

from redis import Redis

from recon_api import reasons
from recon_api.credentials import AttemptCredentials, CredentialsError, unseal
from recon_api.errors import TransientError, UsageError
from recon_api.keys import credentials_key, task_id
from recon_api.payload import TaskPayload
from recon_worker.attempt.redis_client import UNREACHABLE
from recon_worker.settings import WorkerSettings


def take_credentials(payload: TaskPayload, settings: WorkerSettings, redis: Redis) -> AttemptCredentials | None:
    """Return what the operator has left for this attempt, and remove it from Redis; None where the job names no Secret.

    Raises `UsageError` where this worker cannot open it, `TransientError` where it is gone.
    """
    if not payload.has_credentials:
        return None
    if settings.credentials_key is None:
        raise UsageError(reasons.NOT_SUPPORTED, "the workers cannot open Secrets: their CREDENTIALS_KEY is not set")
    sealed = _take(payload, redis)
    try:
        return unseal(settings.credentials_key.get_secret_value(), sealed, task_id(payload.job_id, payload.attempt))
    except CredentialsError as error:
        raise UsageError(reasons.NOT_SUPPORTED, f"the Secret's values cannot be opened: {error}") from error


def _take(payload: TaskPayload, redis: Redis) -> bytes:
    try:
        sealed = redis.getdel(credentials_key(payload.job_id, payload.attempt))
    except UNREACHABLE as error:
        raise TransientError(reasons.CREDENTIALS_LOST, "Redis did not hand out the credentials") from error
    if not isinstance(sealed, bytes):
        raise TransientError(reasons.CREDENTIALS_LOST, "the attempt's credentials were gone before it began")
    return sealed
