"""Handing a Secret's values to one attempt: read when it is sent, sealed, and put where only its worker looks.

The operator keeps none of it. Where a Secret cannot be used the attempt is not sent, and has thereby failed.
"""

from dataclasses import dataclass

from recon_api import reasons
from recon_api.credentials import AttemptCredentials, Credentials, CredentialsError, credentials_of, seal
from recon_api.keys import task_id
from recon_api.payload import AttemptResult, Outcome
from recon_api.reasons import Reason
from recon_api.resource import ReconstructionJob
from recon_operator.clients.kubernetes_api import GoneError, KubernetesApi, RefusedError
from recon_operator.clients.redis_state import RedisState


class CredentialsRefusedError(Exception):
    """The attempt cannot be given what its job names; its owner, or the administrator, must change something."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason, self.message = reason, message

    def as_result(self, attempt: int) -> AttemptResult:
        """Return the result of the attempt, which no worker will write."""
        return AttemptResult(outcome=Outcome.FAILED, attempt=attempt, reason=self.reason.name, message=self.message)


@dataclass
class CredentialsProvider:
    """Gives attempts their credentials."""

    api: KubernetesApi
    redis: RedisState
    key: str | None
    """Seals them; without one no job is given any."""

    async def provide(self, job: ReconstructionJob, attempt: int) -> None:
        """Give an attempt what its job names, if anything.

        Raises CredentialsRefusedError where it must not be sent; KubernetesError and StateUnavailableError.
        """
        if job.spec.needs_credentials:
            await self.redis.put_credentials(job.uid, attempt, await self._sealed(job, attempt))

    async def _sealed(self, job: ReconstructionJob, attempt: int) -> bytes:
        if self.key is None:
            raise CredentialsRefusedError(
                reasons.NOT_SUPPORTED,
                "this installation hands out no Secrets (CREDENTIALS_KEY is not set); leave secretName out, or ask its "
                "administrator",
            )
        spec, namespace = job.spec, job.metadata.namespace
        found = AttemptCredentials(
            task=task_id(job.uid, attempt),
            input=await self._read(namespace, spec.input_secret) if spec.input_secret else None,
            output=await self._read(namespace, spec.output_secret) if spec.output_secret else None,
        )
        return seal(self.key, found)

    async def _read(self, namespace: str, name: str) -> Credentials:
        try:
            return credentials_of(await self.api.get_secret_data(namespace, name))
        except GoneError as error:
            raise CredentialsRefusedError(
                reasons.SECRET_NOT_FOUND, f"namespace {namespace} has no Secret {name!r}; create it, then the job anew"
            ) from error
        except RefusedError as error:
            raise CredentialsRefusedError(
                reasons.NOT_SUPPORTED,
                f"the operator may not read Secrets of namespace {namespace}; leave secretName out, or ask the "
                "administrator of the installation",
            ) from error
        except CredentialsError as error:
            raise CredentialsRefusedError(reasons.SECRET_REJECTED, f"Secret {name!r} {error}") from error
