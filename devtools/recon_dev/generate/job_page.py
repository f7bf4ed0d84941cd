"""The reference page of the resource: every field with its type, default and meaning, and every rule."""

from collections.abc import Iterator
from typing import Any

from recon_api.crd import crd
from recon_api.rules import immutable
from recon_api.spec import IMMUTABLE_FIELDS
from recon_dev.generate.markdown import code, page, table

Schema = dict[str, Any]

IMMUTABLE = [immutable(field).to_schema() for field in IMMUTABLE_FIELDS]
"""Said once, above the fields."""

INTRODUCTION = """\
`reconstructionjobs.reconstruction.dev/v1`, kind `ReconstructionJob`, short name `rj`, namespaced. `kubectl explain
rj.spec` shows the same. A field that is not below is refused by `kubectl apply`."""

COLUMNS = ("Field", "Type", "Default", "Meaning")


def render() -> str:
    """Return the page."""
    version = crd()["spec"]["versions"][0]
    root = version["schema"]["openAPIV3Schema"]
    spec, status = root["properties"]["spec"], root["properties"]["status"]
    return page(
        "ReconstructionJob",
        INTRODUCTION,
        f"## spec\n\n{_changeable(spec)}\n\n{table(COLUMNS, _fields(spec))}",
        f"## status\n\nWritten by the operator alone.\n\n{table(COLUMNS, _fields(status))}",
        f"## What `kubectl get` shows\n\n{table(('Column', 'Field', 'Meaning'), _printer_columns(version))}",
        f"## What the API server refuses\n\n{table(('Where', 'Sentence'), sorted(set(_rules(root))))}",
    )


def _changeable(spec: Schema) -> str:
    names = [code(name) for name in spec["properties"] if name not in IMMUTABLE_FIELDS]
    return f"Can be changed while the job exists: {', '.join(names)}. Everything else stays as it was at creation."


def _fields(schema: Schema, prefix: str = "") -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each field, those of nested objects below their parent."""
    required = schema.get("required", [])
    for name, field in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        default = "required" if name in required else _default(field)
        yield code(path), _type(field), default, field.get("description", "")
        if field.get("type") == "array":
            yield from _fields(field["items"], f"{path}[].")
        else:
            yield from _fields(field, f"{path}.")


def _type(field: Schema) -> str:
    if "enum" in field:
        return ", ".join(code(str(value)) for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    return str(field.get("format") or field.get("type", "any")) + _bounds(field)


def _bounds(field: Schema) -> str:
    low, high = field.get("minimum"), field.get("maximum")
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", at least {low}" if low is not None else ""


def _default(field: Schema) -> str:
    default = field.get("default")
    if isinstance(default, list):
        return ", ".join(code(str(item)) for item in default)
    if isinstance(default, bool):
        return code(str(default).lower())
    return "" if default in (None, "") or isinstance(default, dict) else code(str(default))


def _printer_columns(version: Schema) -> Iterator[tuple[str, str, str]]:
    for column in version["additionalPrinterColumns"]:
        wide = " (with `-o wide`)" if column.get("priority") else ""
        yield column["name"], code(column["jsonPath"]), column.get("description", "") + wide


def _rules(schema: Schema, path: str = "") -> Iterator[tuple[str, str]]:
    for rule in schema.get("x-kubernetes-validations", []):
        if rule not in IMMUTABLE:
            yield code((path + rule.get("fieldPath", "")).lstrip(".")), rule["message"]
    for name, field in schema.get("properties", {}).items():
        yield from _rules(field, f"{path}.{name}")
    if "items" in schema:
        yield from _rules(schema["items"], f"{path}[]")
