"""The CustomResourceDefinition, made from the models.

pydantic's JSON schema becomes a structural schema (Kubernetes, "Specifying a structural schema"): references are
inlined, an optional field is a field that may be left out, titles go, and what a structural schema can't say goes too.
"""

from typing import Any

from recon_api import resource as rj
from recon_api import rules
from recon_api.reasons import PENDING
from recon_api.spec import ReconstructionJobSpec
from recon_api.status import EPOCH, ConditionStatus, ConditionType, Phase, ReconstructionJobStatus

Schema = dict[str, Any]

PRINTER_COLUMNS: tuple[tuple[str, str, str, str, int], ...] = (
    ("Phase", "string", ".status.phase", "Where the job is in its life.", 0),
    ("Reason", "string", '.status.conditions[?(@.type=="Stalled")].reason', "Why the job has not succeeded.", 0),
    ("Progress", "string", ".status.progress.percent", "How much is done.", 0),
    ("Step", "string", ".status.progress.step", "What is being done.", 0),
    ("ETA", "string", ".status.progress.remaining", "Estimated time left.", 0),
    ("Pos", "integer", ".status.queue.position", "Place in the queue; 1 is next.", 0),
    ("Model", "string", ".status.model", "The model that is used.", 0),
    ("Attempts", "integer", ".status.executionAttempts", "Attempts so far.", 0),
    ("Worker", "string", ".status.worker.name", "The worker that runs the job, or ran it last.", 1),
    ("GPU", "string", ".status.worker.gpu", "The worker's GPU.", 1),
    ("Age", "date", ".metadata.creationTimestamp", "", 0),
)
"""Name, type, path, description, priority (0 always, 1 with `-o wide`)."""


def crd() -> Schema:
    """Return the CustomResourceDefinition as plain data."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{rj.PLURAL}.{rj.GROUP}"},
        "spec": {
            "group": rj.GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": rj.KIND,
                "listKind": f"{rj.KIND}List",
                "plural": rj.PLURAL,
                "singular": rj.SINGULAR,
                "shortNames": [rj.SHORT_NAME],
                "categories": ["all"],
            },
            "versions": [_version()],
        },
    }


def structural(schema: Schema) -> Schema:
    """Return pydantic's JSON schema as a structural schema."""
    inlined: Schema = _convert(schema, schema.get("$defs", {}))
    return inlined


def unseen_status() -> Schema:
    """Return the status of a job that no operator has seen yet: tools that wait for it must not take it for done."""
    holds = {ConditionType.READY: ConditionStatus.FALSE, ConditionType.RECONCILING: ConditionStatus.TRUE}
    conditions = [
        {
            "type": kind.value,
            "status": status.value,
            "reason": PENDING.name,
            "message": PENDING.meaning,
            "lastTransitionTime": f"{EPOCH:%Y-%m-%dT%H:%M:%SZ}",
        }
        for kind, status in holds.items()
    ]
    return {"phase": Phase.PENDING.value, "conditions": conditions}


def _version() -> Schema:
    return {
        "name": rj.VERSION,
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "additionalPrinterColumns": [_column(*column) for column in PRINTER_COLUMNS],
        "schema": {"openAPIV3Schema": _root()},
    }


def _root() -> Schema:
    return {
        "description": rj.ReconstructionJob.__doc__,
        "type": "object",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(ReconstructionJobSpec.model_json_schema(by_alias=True)),
            "status": _status(),
        },
        **rj.ReconstructionJob.model_config["json_schema_extra"],  # type: ignore[dict-item]  # always a dict here
    }


def _status() -> Schema:
    """Return the status' schema; its default shows a job that no operator has seen yet as Pending, and not ready.

    Its fields have no defaults of their own: what the operator has not said is not there.
    """
    return {
        **_without_defaults(structural(ReconstructionJobStatus.model_json_schema(by_alias=True))),
        "default": unseen_status(),
        **rules.validations(
            rules.END_IS_WHOLE, rules.END_STAYS, rules.ATTEMPT_NUMBER_STAYS, rules.ATTEMPTS_FIT_THEIR_NUMBER
        ),
    }


def _without_defaults(node: Any) -> Any:
    if isinstance(node, list):
        return [_without_defaults(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {key: _without_defaults(value) for key, value in node.items() if key != "default"}


def _column(name: str, kind: str, path: str, description: str, priority: int) -> Schema:
    column: Schema = {"name": name, "type": kind, "jsonPath": path}
    if description:
        column["description"] = description
    if priority:
        column["priority"] = priority
    return column


DROPPED_KEYS = frozenset({"$defs", "title", "additionalProperties", "uniqueItems", "const"})
"""What a structural schema can't say, or what no reader needs."""


def _convert(node: Any, definitions: Schema) -> Any:
    if isinstance(node, list):
        return [_convert(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    node = _resolve(node, definitions)
    converted = {key: _convert(value, definitions) for key, value in node.items() if key not in DROPPED_KEYS}
    if "properties" in node:
        converted["properties"] = {name: _convert(value, definitions) for name, value in node["properties"].items()}
    if isinstance(node.get("additionalProperties"), dict):
        converted["additionalProperties"] = _convert(node["additionalProperties"], definitions)
    if "default" in converted and converted["default"] is None:
        del converted["default"]
    if isinstance(converted.get("default"), dict):
        # The API server refuses a null where the field's type is another.
        converted["default"] = {name: value for name, value in converted["default"].items() if value is not None}
    return converted


def _resolve(node: Schema, definitions: Schema) -> Schema:
    """Replace a reference by what it names, and an optional value's `anyOf` by the value's own schema."""
    if "anyOf" in node:
        values = [option for option in node["anyOf"] if option.get("type") != "null"]
        if len(values) != 1:
            raise ValueError(f"a structural schema has one type for each field: {node}")
        node = {**values[0], **{key: value for key, value in node.items() if key != "anyOf"}}
        return _resolve(node, definitions)
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        return _resolve(node, definitions)
    return node
