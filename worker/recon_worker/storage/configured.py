"""The storage that a worker's settings name."""

from dataclasses import replace

from recon_worker.settings import WorkerSettings
from recon_worker.storage.bucket import BucketStorage
from recon_worker.storage.storage import Storage
from recon_worker.storage.volume import VolumeStorage


def configured_storage(settings: WorkerSettings) -> Storage:
    """Return the bucket of STORAGE_URL, or the volume at JOB_STORAGE_PATH."""
    if not settings.storage_url:
        return VolumeStorage(settings.job_storage_path)
    policy = settings.remote_policy()
    return BucketStorage(
        settings.job_storage_path,
        settings.storage_url,
        settings.storage_credentials(),
        replace(
            policy,
            s3_endpoint_url=settings.storage_endpoint_url or policy.s3_endpoint_url,
            ca_file=settings.storage_ca_file or policy.ca_file,
        ),
    )
