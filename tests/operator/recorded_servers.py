"""The API server and Redis, as far as jobs that are gone are concerned."""

from typing import Any

from recon_operator.clients.kubernetes_api import GoneError


class RecordedServers:
    """Records what is called, or raises the next of the faults instead."""

    def __init__(self) -> None:
        self.existing = dict[str, str]()
        """UIDs of the jobs that exist, by name."""
        self.calls, self.faults = list[str](), list[Exception]()

    def call(self, call: str) -> None:
        """Take a call."""
        if self.faults:
            raise self.faults.pop(0)
        self.calls.append(call)

    async def get_job(self, namespace: str, name: str) -> dict[str, Any]:
        self.call(f"get {namespace}/{name}")
        if name not in self.existing:
            raise GoneError("404")
        return {"metadata": {"uid": self.existing[name]}}

    async def forget(self, uid: str) -> None:
        self.call(f"forget {uid}")

    async def set_stop_flag(self, uid: str) -> None:
        self.call(f"stop {uid}")
