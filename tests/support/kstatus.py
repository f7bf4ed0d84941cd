"""What tools that wait for objects of any kind make of an object: the rules of kstatus for custom resources.

kstatus is the library of Helm 4, Flux, kpt and Config Sync (sigs.k8s.io/cli-utils, package status, "generic" rules).
"""

from typing import Any


def kstatus(body: dict[str, Any]) -> str:
    """Return InProgress, Current, Failed or Terminating for an object as the API server shows it."""
    metadata, status = body["metadata"], body.get("status", {})
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    observed = status.get("observedGeneration")
    if observed is not None and observed != metadata["generation"]:
        return "InProgress"
    holds = {each["type"]: each["status"] for each in status.get("conditions", [])}
    if holds.get("Reconciling") == "True":
        return "InProgress"
    if holds.get("Stalled") == "True":
        return "Failed"
    return "Current" if holds.get("Ready", "True") == "True" else "InProgress"
