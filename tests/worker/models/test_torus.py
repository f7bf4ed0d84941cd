"""The torus' files."""

from pathlib import Path

import pytest

from recon_worker.models import torus


def open_files_below(folder: Path) -> list[str]:
    """Files below the folder that this process has open; the kernel marks those that were deleted."""
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(descriptor.readlink()))
        except FileNotFoundError:  # the one by which the directory was listed
            continue
    return [link for link in links if link.startswith(str(folder))]


def test_an_error_keeps_nothing_open_of_what_was_read(tmp_path: Path) -> None:
    torus.write_points(tmp_path)
    torus.write_mesh(tmp_path)
    with pytest.raises(FileNotFoundError) as caught:
        torus.export(tmp_path, tmp_path, tmp_path / "missing")
    for file in tmp_path.glob("*.npz"):
        file.unlink()
    assert caught.tb is not None  # the error is still in hand, and with it the frames that it went through
    assert open_files_below(tmp_path) == []
