"""The chart's `values.yaml`, `values.schema.json` and README, made from the models of its values."""

import json
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel

from recon_dev.chart.fields import Values
from recon_dev.chart.values import ChartValues
from recon_dev.generate.markdown import NOTICE, code, table

HEADER = """\
# Generated from devtools/recon_dev/chart by `make generate`; do not edit.
#
# The defaults of every value. Hand in a file with only what differs: helm install … --values my-values.yaml
"""
WIDTH = 118


def values_file() -> str:
    """Return `values.yaml`: each value with its default, below a comment that says what it is for."""
    return HEADER + "\n" + "\n".join(_lines(ChartValues(), depth=0)) + "\n"


def _lines(values: BaseModel, depth: int) -> Iterator[str]:
    for name, field in type(values).model_fields.items():
        key, value = field.alias or name, getattr(values, name)
        if key == "global":
            continue
        indent = "  " * depth
        meaning = field.description or (value.__doc__ if isinstance(value, Values) else None)
        yield from textwrap.wrap(
            f"-- {_flat(meaning)}", WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
        )
        if isinstance(value, Values):
            yield f"{indent}{key}:"
            yield from _lines(value, depth + 1)
        else:
            text = yaml.safe_dump({key: _plain(value)}, sort_keys=False, width=WIDTH)
            yield textwrap.indent(text, indent).rstrip()
        if depth == 0:
            yield ""


def _plain(value: Any) -> Any:
    """Return the value as YAML has it; of an item of a list only what was given."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _flat(text: str | None) -> str:
    return " ".join((text or "").split())


def values_schema() -> str:
    """Return `values.schema.json`: what Helm checks all values by."""
    schema = ChartValues.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    root = {"$schema": "http://json-schema.org/draft-07/schema#", **_strict(schema, definitions, required=True)}
    return json.dumps(root, indent=2, ensure_ascii=False) + "\n"


def _strict(node: Any, definitions: dict[str, Any], *, required: bool) -> Any:
    """Return the schema with references filled in; `required` demands every value, as `values.yaml` gives it."""
    if isinstance(node, list):
        return [_strict(item, definitions, required=required) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        target = definitions[node["$ref"].rsplit("/", 1)[-1]]
        return _strict({**target, **{k: v for k, v in node.items() if k != "$ref"}}, definitions, required=required)
    if "allOf" in node and len(node["allOf"]) == 1:
        rest = {key: value for key, value in node.items() if key != "allOf"}
        return _strict({**node["allOf"][0], **rest}, definitions, required=required)
    kept = {key: _strict(value, definitions, required=required) for key, value in node.items() if key not in DROPPED}
    if "items" in node:
        # An item of a list is not filled up with defaults.
        kept["items"] = _strict(node["items"], definitions, required=False)
    if "properties" in node:
        kept["properties"] = {
            name: _strict(value, definitions, required=required) for name, value in node["properties"].items()
        }
        kept["required"] = (
            [name for name in node["properties"] if name != "global"] if required else node.get("required", [])
        )
    if isinstance(kept.get("description"), str):
        kept["description"] = _flat(kept["description"])
    return _one_type(kept)


DROPPED = frozenset({"default", "title", "$defs"})


def _one_type(node: dict[str, Any]) -> dict[str, Any]:
    """Return alternatives of plain types as one list of types: what Helm says of a wrong value is one sentence then."""
    options = node.get("anyOf")
    if not options or not all(set(option) <= {"type"} for option in options):
        return node
    rest = {key: value for key, value in node.items() if key != "anyOf"}
    return {"type": [option["type"] for option in options], **rest}


README = """\
# Chart reconstruction-operator

Installs the operator, its worker pools and, unless you have one, Redis.

```console
helm install reconstruction charts/reconstruction-operator --namespace reconstruction-system --create-namespace
```

Step by step, with what to set for GPUs, storage, an external Redis and upgrades:
[Install with Helm](../../docs/how-to/install-with-helm.md).

Every value is checked: one that does not exist, or has the wrong type, is refused with its path.

## Values
"""


def readme() -> str:
    """Return the chart's README: how to install it, and a table of every value."""
    rows = table(("Value", "Default", "Meaning"), _rows(ChartValues(), prefix=""))
    return f"{NOTICE}\n\n{README}\n{rows}\n"


def _rows(values: BaseModel, prefix: str) -> Iterator[tuple[str, str, str]]:
    for name, field in type(values).model_fields.items():
        key, value = f"{prefix}{field.alias or name}", getattr(values, name)
        if isinstance(value, Values):
            yield from _rows(value, f"{key}.")
        elif key != "global":
            default = json.dumps(_plain(value), ensure_ascii=False)
            yield code(key), code(default), _flat(field.description)
