"""Where the resources are: the part of the API server that a job's life needs."""

from typing import Any, Protocol

Json = dict[str, Any]


class Store(Protocol):
    """The resources of one namespace. All calls raise the errors of `recon_operator.clients.kubernetes_api`."""

    namespace: str

    async def create(self, manifest: Json) -> Json:
        """Create a job; return it."""

    async def get(self, name: str) -> Json:
        """Return a job."""

    async def list(self) -> tuple[list[Json], str]:
        """Return all jobs, and the version at which they were listed."""

    async def patch(self, name: str, patch: Json, *, status: bool) -> Json:
        """Merge into the status, or else into everything but the status; return the job."""

    async def delete(self, name: str) -> Json | None:
        """Ask for a job to be deleted; return what is left of it until its finalizers are gone."""
