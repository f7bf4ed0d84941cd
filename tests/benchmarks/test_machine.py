"""What a run depends on is described on any machine."""

from pathlib import Path

import pytest

from benchmarks import machine


def test_a_missing_package_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "PACKAGES", ("pydantic", "not-installed-anywhere"))
    versions = machine.describe_run()["versions"]
    assert versions["pydantic"]
    assert versions["not-installed-anywhere"] is None


def test_without_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert machine.describe_run()["commit"] == ""
