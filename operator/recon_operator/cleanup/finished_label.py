"""The label of finished jobs on one that has not finished: set by hand, or copied with another job's manifest.

The watch leaves labelled jobs out, so that job would wait for ever, or run with nobody to look after it.
"""

import asyncio

from recon_api.resource import FINALIZER, FINISHED_LABEL, ReconstructionJob
from recon_operator.clients.kubernetes_api import ConflictError, GoneError, KubernetesApi, KubernetesError
from recon_operator.telemetry.logs import job_logger

RETRY_S = 2.0


def is_mislabelled(job: ReconstructionJob) -> bool:
    """Say whether a labelled job has not finished: we set the label last, in one write with the end of our finalizer."""
    metadata = job.metadata
    has_ended = job.status.final_conditions and FINALIZER not in metadata.finalizers
    return FINISHED_LABEL in metadata.labels and job.is_ours and not has_ended


class FinishedLabels:
    """Takes the label off such jobs; subscribes to those that have it (`recon_operator.watch.finished_jobs`)."""

    def __init__(self, api: KubernetesApi) -> None:
        """Change labels by `api` once `run` runs."""
        self._api = api
        self._found: asyncio.Queue[ReconstructionJob] = asyncio.Queue()

    def seen(self, job: ReconstructionJob) -> None:
        """Record a labelled job as it is now."""
        if is_mislabelled(job):
            self._found.put_nowait(job)

    async def run(self) -> None:
        """Take labels off until cancelled."""
        while True:
            job = await self._found.get()
            try:
                await self._take_off(job)
            except (GoneError, ConflictError):
                continue  # it is gone, or shown again as it is by now
            except KubernetesError as error:
                job_logger(__name__, job).warning(
                    "it has a label that it must not have, which is tried again: %s", error
                )
                await asyncio.sleep(max(RETRY_S, error.retry_after_s))
                self._found.put_nowait(job)

    async def _take_off(self, job: ReconstructionJob) -> None:
        metadata = {"resourceVersion": job.metadata.resource_version, "labels": {FINISHED_LABEL: None}}
        await self._api.patch_job(job.metadata.namespace, job.metadata.name, {"metadata": metadata})
        job_logger(__name__, job).warning("the label %s is taken off: the job has not finished", FINISHED_LABEL)
