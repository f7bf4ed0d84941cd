"""A source of photos stays within its namespace, also where somebody changes it meanwhile."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recon_api import reasons
from recon_api.errors import UsageError
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import opened, resolved, source_in

SWAPPED = [
    pytest.param(lambda folder: folder, id="the folder"),
    pytest.param(lambda folder: folder.parent, id="the folder around it"),
    pytest.param(lambda folder: folder / "0.jpg", id="a photo"),
]


@pytest.mark.parametrize("what", SWAPPED)
def test_a_link_that_is_made_between_check_and_use_leads_nowhere(tmp_path: Path, what: Callable[[Path], Path]) -> None:
    root, others = tmp_path / "inputs" / "shop", tmp_path / "inputs" / "others"
    for folder in (root / "a" / "chair", others / "a" / "chair", others / "chair"):
        folder.mkdir(parents=True)
        (folder / "0.jpg").write_bytes(b"of " + str(folder).encode())
    source = source_in(root, "a/chair", InputLimits())
    checked = resolved(source) / "0.jpg"
    swapped = what(root / "a" / "chair")
    swapped.rename(tmp_path / "moved")
    swapped.symlink_to(others / swapped.relative_to(root))
    with pytest.raises(UsageError, match="outside") as raised, opened(checked, source):
        pass
    assert raised.value.reason is reasons.INPUT_REJECTED


@pytest.mark.parametrize("path", ["n" * 256, "chair/" + "ä" * 128, "/".join(["d" * 200] * 25)])
def test_a_name_that_no_file_system_holds_is_its_owner_s_mistake(tmp_path: Path, path: str) -> None:
    (tmp_path / "chair").mkdir()
    with pytest.raises(UsageError, match=r"no file system holds so long|no such folder") as caught:
        resolved(source_in(tmp_path, path, InputLimits()))
    assert caught.value.reason == reasons.INPUT_NOT_FOUND


def test_a_missing_source_says_where_it_was_looked_for(tmp_path: Path) -> None:
    root = tmp_path / "inputs" / "shop"
    root.mkdir(parents=True)
    with pytest.raises(UsageError) as caught:
        resolved(source_in(root, "a/chair", InputLimits()))
    assert caught.value.message == (
        "input.path 'a/chair': no such folder or archive; it was looked for at inputs/shop/a/chair in the storage"
    )
