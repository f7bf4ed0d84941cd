"""A sealed folder is used again where it is whole."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recon_worker.files.manifest import MANIFEST
from recon_worker.publishing.seal import sealed_earlier
from tests.support.sealed import UID, sealed


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        pytest.param(lambda _: None, True, id="whole"),
        pytest.param(lambda folder: (folder / "mesh.glb").write_text("other"), False, id="changed"),
        pytest.param(lambda folder: (folder / "mesh.glb").unlink(), False, id="a file is missing"),
        pytest.param(lambda folder: (folder / MANIFEST).unlink(), False, id="no manifest"),
        pytest.param(lambda folder: (folder / MANIFEST).write_text("{"), False, id="half a manifest"),
        pytest.param(lambda folder: folder.rename(folder.with_name("attempt-1.tmp")), False, id="not sealed yet"),
    ],
)
def test_a_later_attempt_takes_over_what_is_whole(
    tmp_path: Path, damage: Callable[[Path], object], found: bool
) -> None:
    folder = sealed(tmp_path)
    damage(folder)
    assert sealed_earlier(tmp_path / "work", UID) == (folder if found else None)
    assert sealed_earlier(tmp_path / "work", "another job") is None
