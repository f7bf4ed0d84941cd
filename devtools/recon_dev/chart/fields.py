"""The kinds of values that the chart takes."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel


class Values(BaseModel):
    """A part of the values; what it does not name is refused."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", frozen=True, populate_by_name=True, use_attribute_docstrings=True
    )


KubernetesObject = dict[str, Any]
"""A part of a manifest, put where it belongs as it is; the API server checks it."""

KubernetesList = list[dict[str, Any]]
"""The same, where a manifest has a list of them."""

Name = Annotated[str, Field(max_length=253, pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$")]
"""Name of an object; empty for none."""

NamespaceName = Annotated[str, Field(max_length=63, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")]

HostName = Annotated[str, Field(max_length=253, pattern=r"^[A-Za-z0-9][-A-Za-z0-9.:]*$")]

# Helm tells best what is wrong where alternatives are one list of types: these say their own schema.
Quantity = Annotated[
    int | str,
    WithJsonSchema(
        {"type": ["string", "integer"], "pattern": r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$", "minimum": 0}
    ),
]
"""An amount as Kubernetes writes it, such as `100Gi`."""

EmptyOrSeconds = Annotated[
    int | Literal[""],
    WithJsonSchema({"type": ["integer", "string"], "minimum": 0, "maximum": 2_147_483_647, "maxLength": 0}),
]

Settings = Annotated[
    dict[str, str | int | float | bool],
    WithJsonSchema(
        {
            "type": "object",
            "patternProperties": {"^[A-Z][A-Z0-9_]*$": {"type": ["string", "number", "boolean"]}},
            "additionalProperties": False,
        }
    ),
]
"""Environment variables."""

Port = Annotated[int, Field(ge=1, le=65535)]


class Image(Values):
    """An image; where both are given, the digest counts."""

    repository: str = Field(min_length=1)
    """Registry and name."""
    tag: str = ""
    """Tag; the chart's appVersion where empty."""
    digest: str = Field(default="", pattern=r"^(sha256:[0-9a-f]{64})?$")
    """Digest, such as `sha256:…`; it wins over the tag."""
    pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    """When the kubelet pulls it."""


class Resources(Values):
    """What a container asks for, and what it may take at most; as Kubernetes writes it."""

    requests: dict[str, Quantity] = {}
    """What the scheduler keeps free for it."""
    limits: dict[str, Quantity] = {}
    """What it may use at most."""


class Placement(Values):
    """Where Pods run."""

    node_selector: dict[str, str] = {}
    """Labels that a node must have."""
    tolerations: KubernetesList = []
    """Taints of nodes that do not matter."""
    affinity: KubernetesObject = {}
    """Rules of attraction and distance."""
    priority_class_name: Name = ""
    """PriorityClass of the Pods."""
