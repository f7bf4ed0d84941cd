"""The label of finished jobs on one that has not finished: set by hand, or copied with another job's manifest.

The watch leaves labelled jobs out, so that job would wait for ever, or run with nobody to look after it.
"""

from recon_api.resource import FINALIZER, FINISHED_LABEL, ReconstructionJob
from recon_operator.cleanup.correction import Correction
from recon_operator.clients.kubernetes_api import KubernetesApi
from recon_operator.telemetry.logs import job_logger


def is_mislabelled(job: ReconstructionJob) -> bool:
    """Say whether a labelled job has not finished: we set the label last, in one write with the end of our finalizer."""
    metadata = job.metadata
    has_ended = job.status.final_conditions and FINALIZER not in metadata.finalizers
    return FINISHED_LABEL in metadata.labels and job.is_ours and not has_ended


def finished_labels(api: KubernetesApi) -> Correction:
    """Return the correction that takes the label off such jobs by `api`."""

    async def take_off(job: ReconstructionJob) -> None:
        metadata = {"resourceVersion": job.metadata.resource_version, "labels": {FINISHED_LABEL: None}}
        await api.patch_job(job.metadata.namespace, job.metadata.name, {"metadata": metadata})
        job_logger(__name__, job).warning("the label %s is taken off: the job has not finished", FINISHED_LABEL)

    return Correction(is_mislabelled, take_off)
