"""A namespace whose jobs an installation looks after."""

from dataclasses import dataclass
from typing import Any

from tests.support.e2e.installation import Installation
from tests.support.jobs import Job, make_job


@dataclass(frozen=True)
class Tenant:
    """A user's namespace."""

    installation: Installation
    namespace: str

    def submit(self, name: str = "chair", **spec: Any) -> Job:
        """Create a job (`tests.support.jobs.make_job`)."""
        return self.installation.submit(make_job(name, **spec), self.namespace)

    def delete_jobs(self) -> None:
        """Delete all jobs, and wait until they are gone."""
        self.installation.cluster.run_kubectl(
            "-n", self.namespace, "delete", "rj", "--all", "--timeout=120s", timeout_s=130
        )
