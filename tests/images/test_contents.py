"""What the images hold, and what they must not."""

import json

import pytest

from recon_dev.images.bill_of_materials import bill_of_materials
from recon_dev.images.contents import Contents

DEV_TOOLS = {"hatchling", "hypothesis", "mypy", "pytest", "reconstruction-operator-devtools", "ruff", "uv", "wheel"}
"""Setuptools is none: torch requires it. A pip may be the base image's own."""

OPERATOR_MB = 200
"""What the operator's image may add to its base: it starts on any node in seconds."""


@pytest.mark.parametrize(
    ("side", "has", "has_not"),
    [
        pytest.param(
            "operator",
            {"kopf", "recon_api", "recon_runtime", "recon_operator"},
            {"torch", "recon_worker"},
            id="the operator has no torch and no worker",
        ),
        pytest.param(
            "worker",
            {"torch", "recon_api", "recon_runtime", "recon_worker"},
            {"kopf", "recon_operator"},
            id="the worker has no kopf and no operator",
        ),
    ],
)
def test_each_image_holds_its_own_side_only(
    contents: dict[str, Contents], side: str, has: set[str], has_not: set[str]
) -> None:
    importable = set(contents[side].importable)
    assert (has - importable, has_not & importable) == (set(), set())


@pytest.mark.parametrize("side", ["operator", "worker"])
def test_an_image_holds_no_tool_that_builds_or_tests(contents: dict[str, Contents], side: str) -> None:
    inside = contents[side]
    assert {each.name.lower() for each in inside.python} & DEV_TOOLS == set()
    assert inside.programs == []


@pytest.mark.parametrize("side", ["operator", "worker"])
def test_an_image_runs_without_rights(contents: dict[str, Contents], side: str) -> None:
    assert (contents[side].uid, contents[side].writable) == (10001, [])


def test_the_operators_image_is_small(contents: dict[str, Contents]) -> None:
    assert contents["operator"].added_bytes <= OPERATOR_MB * 1_000_000


@pytest.mark.parametrize(("side", "package"), [("operator", "kopf"), ("worker", "torch")])
def test_the_bill_of_materials_names_what_is_inside(
    images: dict[str, str], contents: dict[str, Contents], side: str, package: str
) -> None:
    bill = json.loads(bill_of_materials(images[side], contents[side]))
    names = {each["purl"].partition("@")[0] for each in bill["components"] if "purl" in each}
    assert {f"pkg:pypi/{package}", "pkg:pypi/reconstruction-operator", "pkg:deb/debian/libc6"} <= names
    assert names & {f"pkg:pypi/{tool}" for tool in DEV_TOOLS} == set()
