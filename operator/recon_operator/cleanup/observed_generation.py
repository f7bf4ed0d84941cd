"""The generation that the status of a finished job speaks of, where its spec has changed since.

`ttlSecondsAfterFinished` and `priority` may. Tools that wait for an object take it for unfinished until its status speaks
of the latest generation.
"""

from collections.abc import Awaitable, Callable

from recon_api.resource import FINISHED_LABEL, ReconstructionJob
from recon_api.status import ReconstructionJobStatus
from recon_operator.cleanup.correction import Correction

Write = Callable[[ReconstructionJob, ReconstructionJobStatus], Awaitable[object]]
"""Writes a status. Raises KubernetesError."""


def is_behind(job: ReconstructionJob) -> bool:
    """Say whether the status of a finished job speaks of an earlier generation of its spec."""
    has_ended = job.status.phase.finished and FINISHED_LABEL in job.metadata.labels
    return job.is_ours and has_ended and job.status.observed_generation < job.metadata.generation


def observed_generations(write: Write) -> Correction:
    """Return the correction that has such statuses speak of the latest generation, by `write`."""

    async def record(job: ReconstructionJob) -> None:
        await write(job, job.status.model_copy(update={"observed_generation": job.metadata.generation}))

    return Correction(is_behind, record)
