"""The installation's storage, where it is a shared volume.

inputs/<namespace>/...                 read
work/<uid>/                            worked in (`recon_worker.storage.work_folders`)
outputs/<namespace>/<name>/            published
outputs/<namespace>/.logs/<uid>/       logs of attempts (`recon_worker.files.attempt_logs`)
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.payload import TaskPayload
from recon_worker.files.attempt_logs import LOGS, log_name, open_log, remove_logs
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import PhotoSource, source_in
from recon_worker.publishing.destinations import Publishing, VolumeDestination, find_in_folder
from recon_worker.publishing.published_result import PublishedResult
from recon_worker.remote.locations import RemoteAccess
from recon_worker.storage.names import check_path, checked_namespace, checked_output, checked_uid
from recon_worker.storage.storage import EndedJobs, OpenLog, Storage


@dataclass(frozen=True)
class VolumeStorage(Storage):
    """The shared volume."""

    def inputs(self, namespace: str) -> Path:
        """Return the folder that the namespace's jobs may read."""
        return self.root / "inputs" / checked_namespace(namespace)

    def outputs(self, namespace: str) -> Path:
        """Return the folder that the namespace's jobs publish in."""
        return self.root / "outputs" / checked_namespace(namespace)

    def input(self, namespace: str, path: str, limits: InputLimits) -> PhotoSource:
        """Return what `spec.input.path` names; raise `UsageError(INPUT_REJECTED)` where it leads upwards."""
        return source_in(self.inputs(namespace), path, limits)

    def output(self, namespace: str, path: str) -> Path:
        """Return the folder that `spec.output.path` names.

        Raises `UsageError(INVALID_SPEC)` where it leads elsewhere, through a file, or no file system could hold it.
        """
        folder, relative = self.outputs(namespace), checked_output(path)
        real = Path(os.path.realpath(folder / relative))  # `resolve` takes links in a circle for a fault of ours
        if not real.is_relative_to(folder.resolve()):
            raise UsageError(
                reasons.INVALID_SPEC, f"output.path {path!r} leads outside of the namespace's output folder"
            )
        check_path(folder / relative, f"output.path {path!r}")
        return folder / relative

    def destination(self, publishing: Publishing, access: RemoteAccess) -> VolumeDestination:
        """Return the folder that the result is published as, from where a copy goes to the URL that the job names."""
        payload = publishing.payload
        namespace, path = payload.namespace, payload.published_as
        return VolumeDestination(
            publishing,
            self.output(namespace, path),
            self.outputs(namespace),
            self.work(payload.job_id),
            uploads=None if payload.output_url is None else access.output(payload.output_url),
            remove=partial(self.remove_outputs, namespace, path, payload.job_id),
        )

    def result_address(self, payload: TaskPayload) -> str:
        """Return the folder, even where a copy goes to a URL."""
        return str(self.output(payload.namespace, payload.published_as))

    def find_local_result(self, namespace: str, output_path: str, uid: str) -> PublishedResult | None:
        """Return what the job has published in its folder."""
        with suppress(UsageError):
            return find_in_folder(self.output(namespace, output_path), uid)
        return None

    def withdraw_upload(self, namespace: str, output_path: str, uid: str) -> None:
        """Do nothing: a folder appears whole, once the attempt may not be cancelled any more."""

    @contextmanager
    def log(self, namespace: str, uid: str, attempt: int) -> Iterator[OpenLog]:
        """Write it where it is read."""
        folder = self.outputs(namespace)
        self.root.stat()  # a volume that is not mounted is not to be hidden by a folder
        with open_log(folder, checked_uid(uid), attempt) as stream:
            address = (folder / LOGS / uid / log_name(attempt)).absolute().as_uri()
            yield OpenLog(stream, address, readable_now=True)

    def remove_logs(self, namespace: str, uid: str) -> None:
        """Remove their folder."""
        remove_logs(self.outputs(namespace), checked_uid(uid))

    def remove_leftovers(self, uid: str, ended: EndedJobs) -> None:
        """Do nothing: whichever worker ends a job removes its folder."""
