"""Which GPU there is."""

from pathlib import Path

import pytest

from recon_worker.device import device_of, gpu_name


def test_the_gpu_is_named_without_touching_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpu_name(tmp_path / "none") == "cpu"
    (tmp_path / "0000:01:00.0").mkdir()
    (tmp_path / "0000:01:00.0" / "information").write_text("Model: \t\t NVIDIA H200\nIRQ:   \t\t 1\n")
    assert gpu_name(tmp_path) == "NVIDIA H200"
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert gpu_name(tmp_path) == "cpu"
    assert device_of("cuda") == "cuda"
