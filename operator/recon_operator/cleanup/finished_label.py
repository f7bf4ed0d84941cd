"""The label of finished jobs on one that has not finished: set by hand, or copied with another job's manifest.

The watch leaves labelled jobs out, so that job would wait for ever, or run with nobody to manage it. Or a backup has
restored it: backups keep labels and specs, but no statuses. Such a job may have finished long ago, and the label is all that
tells; where restored jobs are to be held, an annotation takes its place.
"""

from recon_api.resource import FINALIZER, FINISHED_LABEL, RESTORED_ANNOTATION, ReconstructionJob, RestoredJobs
from recon_operator.cleanup.correction import Correction
from recon_operator.clients.kubernetes_api import KubernetesApi
from recon_operator.telemetry.logs import job_logger


def is_mislabelled(job: ReconstructionJob) -> bool:
    """Say whether a labelled job has not finished: we set the label last, in one write with the end of our finalizer."""
    metadata = job.metadata
    has_ended = job.status.final_conditions and FINALIZER not in metadata.finalizers
    return FINISHED_LABEL in metadata.labels and job.is_ours and not has_ended


def is_restored(job: ReconstructionJob) -> bool:
    """Say whether a labelled job has no status that anybody has written: as a restored one, or a copy of its manifest."""
    return is_mislabelled(job) and job.status.is_unseen


def finished_labels(api: KubernetesApi, restored: RestoredJobs = RestoredJobs.RUN) -> Correction:
    """Return the correction that takes the label off such jobs by `api`.

    `restored` is what becomes of restored jobs that do not say it themselves.
    """

    async def take_off(job: ReconstructionJob) -> None:
        metadata: dict[str, object] = {
            "resourceVersion": job.metadata.resource_version,
            "labels": {FINISHED_LABEL: None},
        }
        if is_restored(job) and job.restored is None and restored is RestoredJobs.HOLD:
            metadata["annotations"] = {RESTORED_ANNOTATION: RestoredJobs.HOLD.value}
        await api.patch_job(job.metadata.namespace, job.metadata.name, {"metadata": metadata})
        job_logger(__name__, job).warning("the label %s is taken off: the job has not finished", FINISHED_LABEL)

    return Correction(is_mislabelled, take_off)
