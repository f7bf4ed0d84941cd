"""Weights are those that are known, and no others."""

import hashlib
import io
from pathlib import Path

import pytest
import torch

from recon_worker.stages.learned_matching import weights


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of weights with one small file, which is the known one."""
    folder = tmp_path / "other_weights" / "weights"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise AssertionError('the code of the package is not used')")
    content = io.BytesIO()
    torch.save({"a": torch.ones(2)}, content)
    (folder / "small.pt").write_bytes(content.getvalue())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(weights, "PACKAGE", "other_weights")
    monkeypatch.setattr(weights, "SHA256", {"small.pt": hashlib.sha256(content.getvalue()).hexdigest()})
    return folder


@pytest.mark.usefixtures("package")
def test_the_known_file_is_read_without_the_code_beside_it() -> None:
    assert weights.load_weights("small.pt")["a"].tolist() == [1, 1]


def test_another_file_of_that_name_is_refused(package: Path) -> None:
    torch.save({"a": torch.zeros(2)}, package / "small.pt")
    with pytest.raises(ValueError, match=r"small\.pt of other_weights is not the file that is expected"):
        weights.load_weights("small.pt")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "not_installed")
    with pytest.raises(ModuleNotFoundError, match="not_installed"):
        weights.load_weights("xfeat.pt")
