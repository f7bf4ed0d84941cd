"""The definition is a structural schema, made from the models, and checked in as it is made."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from recon_api.crd import PRINTER_COLUMNS, crd, structural

CHECKED_IN = Path(__file__).parents[2] / "crds" / "reconstructionjobs.yaml"


def nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Every schema within a schema."""
    if isinstance(schema, list):
        for item in schema:
            yield from nodes(item)
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from nodes(value)


def version() -> dict[str, Any]:
    """The one version of the definition."""
    (only,) = crd()["spec"]["versions"]
    found: dict[str, Any] = only
    return found


def test_the_definition_in_the_tree_is_the_one_that_the_models_make() -> None:
    assert yaml.safe_load(CHECKED_IN.read_text()) == crd(), "run `make generate`"


@pytest.mark.parametrize("key", ["$ref", "$defs", "anyOf", "title", "uniqueItems"])
def test_the_schema_has_nothing_that_a_structural_schema_lacks(key: str) -> None:
    assert [node for node in nodes(version()["schema"]) if key in node] == []


def test_columns_are_those_of_the_design_in_order() -> None:
    always = [name for name, _, _, _, priority in PRINTER_COLUMNS if priority == 0]
    wide = [name for name, _, _, _, priority in PRINTER_COLUMNS if priority == 1]
    assert always == ["Phase", "Reason", "Progress", "Step", "ETA", "Pos", "Model", "Attempts", "Age"]
    assert wide == ["Worker", "GPU"]


def test_status_is_a_subresource() -> None:
    assert version()["subresources"] == {"status": {}}


def test_an_optional_field_may_be_left_out_and_is_never_null() -> None:
    spec = version()["schema"]["openAPIV3Schema"]["properties"]["spec"]
    assert "required" not in spec
    assert "nullable" not in spec["properties"]["model"]
    assert "default" not in spec["properties"]["model"]


def test_two_types_for_one_field_are_refused() -> None:
    with pytest.raises(ValueError, match="one type for each field"):
        structural({"anyOf": [{"type": "string"}, {"type": "integer"}]})
