"""Names and ends of archives that people really have: none becomes one of our file names or causes endless retries."""

import io
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from recon_api.errors import UsageError
from recon_api.printable import printable
from recon_api.reasons import INPUT_REJECTED
from recon_worker.inputs import archive
from recon_worker.inputs.source import PhotoSource

Pack = Callable[[Sequence[tuple[str, bytes]]], bytes]


def tar_of(entries: Sequence[tuple[str, bytes]], mode: str = "w", encoding: str = "utf-8") -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode, encoding=encoding, format=tarfile.GNU_FORMAT) as made:  # type: ignore[call-overload]
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return file.getvalue()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def zip_of(entries: Sequence[tuple[str, bytes]]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in entries:
            made.writestr(zipfile.ZipInfo(name), content)
    return file.getvalue()


def unpacked(folder: Path, content: bytes) -> dict[str, bytes]:
    """Return what comes out of an archive, by the names as they are shown."""
    target = folder / "unpacked"
    target.mkdir()
    found = archive.unpack(io.BytesIO(content), PhotoSource(folder / "input"), target, lambda: None)
    assert {path.parent for path in found.values()} == {target}
    return {printable(str(name)): path.read_bytes() for name, path in found.items()}


PACKS = [pytest.param(tar_of, id="tar"), pytest.param(zip_of, id="zip")]


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize(
    ("names", "shown"),
    [
        pytest.param(["a.jpg", "a.jpg", "b.jpg"], ["a.jpg", "a (2).jpg", "b.jpg"], id="twice"),
        pytest.param(["a.jpg", "a.jpg", "a.jpg"], ["a.jpg", "a (2).jpg", "a (3).jpg"], id="three times"),
        pytest.param(["p/a.jpg", "p\\a.jpg"], ["p/a.jpg", "p/a (2).jpg"], id="in another spelling"),
        pytest.param(["a.jpg", "./a.jpg"], ["a.jpg", "a (2).jpg"], id="with a dot before it"),
        pytest.param(["a (2).jpg", "a.jpg", "a.jpg"], ["a (2).jpg", "a.jpg", "a (3).jpg"], id="whose number is taken"),
    ],
)
def test_entries_of_one_name_are_all_there(tmp_path: Path, pack: Pack, names: list[str], shown: list[str]) -> None:
    contents = [bytes([number]) for number in range(len(names))]
    found = unpacked(tmp_path, pack(list(zip(names, contents, strict=True))))
    assert found == dict(zip(shown, contents, strict=True))


@pytest.mark.parametrize("pack", PACKS)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("x." + "e" * 300, id="an ending of 300 letters"),
        pytest.param("n" * 300 + ".jpg", id="a name of 300 letters"),
        pytest.param("/".join(["d" * 60] * 60) + "/a.jpg", id="a path of 3,600 letters"),
        pytest.param("a\x1b[31m\n.jpg", id="control characters"),
        pytest.param("写真.jpg", id="another script"),
    ],
)
def test_no_name_is_too_odd(tmp_path: Path, pack: Pack, name: str) -> None:
    assert printable(name) in unpacked(tmp_path, pack([(name, b"1"), ("b.jpg", b"2")]))


@pytest.mark.parametrize(
    ("encoding", "name", "shown"),
    [
        pytest.param("latin-1", "café.jpg", r"caf\xe9.jpg", id="Latin-1"),
        pytest.param("shift_jis", "カ.jpg", r"\x83J.jpg", id="Shift-JIS"),
    ],
)
def test_names_of_older_tools_are_shown_escaped(tmp_path: Path, encoding: str, name: str, shown: str) -> None:
    assert unpacked(tmp_path, tar_of([(name, b"1")], encoding=encoding)) == {shown: b"1"}


CONTENT = [(f"{number}.jpg", bytes([number]) * 20_000) for number in range(3)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(tar_of(CONTENT)[:-30_000], id="tar, within an entry"),
        pytest.param(tar_of(CONTENT, "w:gz")[:-20], id="tar.gz"),
        pytest.param(tar_of(CONTENT, "w:bz2")[:-20], id="tar.bz2"),
        pytest.param(tar_of(CONTENT, "w:xz")[:-120], id="tar.xz"),
    ],
)
def test_an_archive_that_ends_too_early_is_cut_off(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UsageError, match="is cut off: its end is missing; copy the archive again") as refused:
        unpacked(tmp_path, content)
    assert refused.value.reason == INPUT_REJECTED


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(zip_of(CONTENT)[:-100], "is cut off", id="a zip without its list"),
        pytest.param(zip_of(CONTENT)[:1000], "is cut off", id="the beginning of a zip"),
        pytest.param(b"7z\xbc\xaf\x27\x1c" + bytes(100), "is a 7z archive; make it a zip or tar", id="7z"),
        pytest.param(b"Rar!\x1a\x07\x01\x00", "is a rar archive", id="rar"),
        pytest.param(b"<html>not found", "is a web page; download", id="an error page"),
    ],
)
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    file = io.BytesIO(content)
    assert not archive.is_archive(file)
    with pytest.raises(UsageError, match=words):
        archive.refuse_damaged(file, PhotoSource(tmp_path / "photos.zip"))


def test_other_content_is_left_to_its_name(tmp_path: Path) -> None:
    archive.refuse_damaged(io.BytesIO(b"something"), PhotoSource(tmp_path / "photos"))
