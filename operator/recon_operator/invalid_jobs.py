"""Jobs that the API server has let through and this operator cannot read: their owners are told, nothing else happens."""

import logging
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from recon_api.reasons import INVALID_SPEC
from recon_api.resource import FINISHED_LABEL
from recon_api.status import Condition, ConditionStatus, ConditionType, Phase
from recon_operator.kubernetes_api import GoneError, KubernetesApi, KubernetesError

log = logging.getLogger(__name__)


async def fail_invalid(api: KubernetesApi, body: dict[str, Any], error: ValidationError) -> None:
    """Write `Failed`, `InvalidSpec` and what is wrong into the status of a job that cannot be read; never raises."""
    metadata = body.get("metadata", {})
    namespace, name = metadata.get("namespace", ""), metadata.get("name", "")
    message = _first_problem(error)
    log.warning("%s/%s cannot be read: %s", namespace, name, message)
    condition = Condition(
        type=ConditionType.FAILED,
        status=ConditionStatus.TRUE,
        reason=INVALID_SPEC.name,
        message=message,
        last_transition_time=datetime.now(UTC).replace(microsecond=0),
        observed_generation=metadata.get("generation", 0),
    )
    status = {
        "phase": Phase.FAILED.value,
        "message": f"{INVALID_SPEC.name}: {message}",
        "conditions": [condition.model_dump(mode="json", by_alias=True)],
    }
    try:
        await api.patch_status(namespace, name, {"status": status})
        await api.patch_job(namespace, name, {"metadata": {"labels": {FINISHED_LABEL: "true"}}})
    except GoneError:
        return
    except KubernetesError as problem:
        log.warning("%s/%s cannot be told so: %s", namespace, name, problem)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
