"""The check of dead code: what counts as used."""

from pathlib import Path

import pytest

from recon_dev.checks.dead_code import findings


@pytest.mark.parametrize(
    ("source", "unused"),
    [
        pytest.param("def f(): pass\nf()", [], id="a function that is called"),
        pytest.param("def f(): pass", ["f"], id="a function that is not"),
        pytest.param("class C:\n    def m(self): pass\nC()", ["m"], id="a method that is not"),
        pytest.param("class C: pass", ["C"], id="a class that is not made"),
        pytest.param("LIMIT = 3", ["LIMIT"], id="a constant that is not read"),
        pytest.param("class C:\n    size: int\nC()", [], id="a field is left out"),
        pytest.param("thing.size = 3", [], id="a library's setting is left out"),
        pytest.param("@kopf.on.event()\nasync def note(): pass", [], id="a handler of kopf's is called by kopf"),
    ],
)
def test_what_is_unused(tmp_path: Path, source: str, unused: list[str]) -> None:
    file = tmp_path / "module.py"
    file.write_text(source)
    assert [line.rpartition(" ")[2] for line in findings([file], {})] == unused


def test_an_exception_needs_to_be_one(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text("def f(): pass")
    assert findings([file], {"f": "a reason"}) == []
    file.write_text("def f(): pass\nf()")
    assert findings([file], {"f": "a reason"}) == ["f: listed as used elsewhere, but it is used here, or gone"]
