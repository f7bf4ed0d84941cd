"""The check that tests mirror modules."""

from pathlib import Path

import pytest

from recon_dev.checks.test_mirror import findings


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for module in ("operator/recon_operator/act/actor.py", "worker/recon_worker/stages/depth/__init__.py"):
        (tmp_path / module).parent.mkdir(parents=True)
        (tmp_path / module).touch()
    return tmp_path


@pytest.mark.parametrize(
    ("test", "missing"),
    [
        pytest.param("tests/operator/act/test_actor.py", [], id="a test of a module"),
        pytest.param("tests/worker/stages/test_depth.py", [], id="a test of a package"),
        pytest.param("tests/operator/act/builders.py", [], id="what tests use is no test"),
        pytest.param("tests/cluster/test_actor.py", [], id="tests of the whole mirror nothing"),
        pytest.param("tests/operator/test_actor.py", ["operator/recon_operator/actor.py"], id="another folder"),
        pytest.param("tests/operator/act/test_writer.py", ["operator/recon_operator/act/writer.py"], id="another name"),
        pytest.param("tests/worker/act/test_actor.py", ["worker/recon_worker/act/actor.py"], id="the other side"),
    ],
)
def test_what_a_test_mirrors(root: Path, test: str, missing: list[str]) -> None:
    assert findings([test], root, {}) == [f"{test}: there is no {module}" for module in missing]


def test_an_exception_needs_to_be_one(root: Path) -> None:
    several, mirror = "tests/operator/act/test_all.py", "tests/operator/act/test_actor.py"
    assert findings([several], root, {several: "a reason"}) == []
    assert findings([mirror], root, {mirror: "a reason"}) == [
        f"{mirror}: listed as a test of several modules, but it is none, or gone"
    ]
