"""Jobs that are finished by the test's own hand, where no operator looks after them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from kubernetes import client

from recon_api.resource import FINISHED_LABEL, GROUP, PLURAL, VERSION
from recon_api.status import ConditionType, Phase
from tests.support.control_plane import ControlPlane
from tests.support.jobs import Job, make_job


def put_finished(control_plane: ControlPlane, namespace: str, name: str = "chair", **spec: Any) -> Job:
    """Create a job that ended an hour ago."""
    manifest = make_job(name, **spec)
    manifest["metadata"] |= {"namespace": namespace, "labels": {FINISHED_LABEL: "true"}}
    ended = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="seconds").replace("+00:00", "Z")
    end = {"type": ConditionType.COMPLETE.value, "status": "True", "reason": "Completed", "lastTransitionTime": ended}
    fields = {
        "phase": Phase.SUCCEEDED.value,
        "completionTime": ended,
        "executionAttempts": 1,
        "attempts": [{"number": 1, "endTime": ended}],
        "conditions": [end],
    }
    api = client.CustomObjectsApi(control_plane.api)
    api.create_namespaced_custom_object(GROUP, VERSION, namespace, PLURAL, manifest)
    api.patch_namespaced_custom_object_status(GROUP, VERSION, namespace, PLURAL, name, {"status": fields})
    return Job(control_plane, namespace, name)
