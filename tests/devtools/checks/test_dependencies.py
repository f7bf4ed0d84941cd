"""The check of dependencies: declared and imported are the same, folder by folder."""

import ast

import pytest

import recon_api
from recon_dev.checks.dependencies import (
    CONTRACT,
    Imports,
    beyond_the_contract,
    declared_groups,
    distribution_of,
    modules_of,
    undeclared,
    unused,
)

PROVIDED = {"numpy": ["numpy"], "yaml": ["PyYAML"], "prometheus_client": ["prometheus_client"], "google": ["a", "b"]}
DECLARED = {
    "project": ["pydantic"],
    "operator": ["prometheus-client", "b"],
    "worker": ["numpy"],
    "tracing": [],
    "devtools": ["pyyaml"],
    "dev": [],
}


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        ("pydantic>=2.12", "pydantic"),
        ("celery[redis]>=5.7,<5.8", "celery"),
        ("prometheus_client", "prometheus-client"),
        ("PyYAML >=6", "pyyaml"),
    ],
)
def test_what_a_requirement_names(requirement: str, name: str) -> None:
    assert distribution_of(requirement) == name


def test_what_a_file_imports() -> None:
    source = "import os.path, numpy.linalg\nfrom recon_api import keys\nfrom . import near\ndef f():\n    from yaml import load"
    assert modules_of(ast.parse(source)) == {"numpy", "yaml"}


@pytest.mark.parametrize(
    ("folder", "module", "refused"),
    [
        pytest.param("worker", "numpy", False, id="the worker's own"),
        pytest.param("operator", "numpy", True, id="the other side's"),
        pytest.param("tests", "numpy", False, id="tests may use both sides'"),
        pytest.param("devtools", "yaml", False, id="a distribution of another name"),
        pytest.param("operator", "yaml", True, id="the development tools'"),
        pytest.param("operator", "google", False, id="one of several distributions of a name"),
        pytest.param("worker", "botocore", True, id="what only another dependency brings"),
    ],
)
def test_an_import_must_be_declared(folder: str, module: str, refused: bool) -> None:
    found = undeclared(Imports(folder, {module: "file.py"}), DECLARED, PROVIDED)
    assert [line.partition(",")[0] for line in found] == [f"file.py: imports {module}"] * refused


@pytest.mark.parametrize(
    ("group", "name", "folder", "refused"),
    [
        pytest.param("worker", "numpy", "worker", False, id="the worker imports it"),
        pytest.param("worker", "numpy", "devtools", True, id="only another folder imports it"),
        pytest.param("worker", "trimesh", "worker", True, id="nothing imports it"),
        pytest.param("dev", "ruff", "tests", False, id="a command is not imported"),
    ],
)
def test_a_dependency_must_be_imported(group: str, name: str, folder: str, refused: bool) -> None:
    found = unused(group, [name], [Imports(folder, {"numpy": "file.py"})], PROVIDED)
    assert [line.partition(",")[0] for line in found] == [f"{group}: declares {name}"] * refused


def test_the_contract_imports_little_and_says_so() -> None:
    assert beyond_the_contract(dict.fromkeys(CONTRACT, "file.py")) == []
    assert [line.partition(";")[0] for line in beyond_the_contract({"numpy": "file.py"})] == ["file.py: imports numpy"]
    assert [name for name in CONTRACT if name not in (recon_api.__doc__ or "")] == []


def test_all_groups_are_read() -> None:
    assert {group: bool(names) for group, names in declared_groups().items()} == dict.fromkeys(DECLARED, True)
