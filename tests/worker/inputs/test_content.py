"""A file that is not what its name says is named by its content, with a way out."""

import io

import pytest
from PIL import Image

from recon_worker.inputs.content import HEAD_BYTES, named_by_content


def box(brand: bytes) -> bytes:
    return b"\x00\x00\x00\x18ftyp" + brand + b"\0\0\0\0mif1"


@pytest.mark.parametrize(
    ("head", "what"),
    [
        pytest.param(
            box(b"heic"), "a HEIC photo of a kind that can't be read; convert", id="HEIC, as iPhones write it"
        ),
        pytest.param(box(b"mif1"), "a HEIC photo", id="HEIF by its general brand"),
        pytest.param(box(b"crx "), "a raw photo", id="Canon CR3"),
        pytest.param(box(b"qt  "), "a video", id="QuickTime"),
        pytest.param(box(b"isom"), "a video", id="MP4"),
        pytest.param(b"\x1aE\xdf\xa3\x01", "a video", id="Matroska"),
        pytest.param(b"FUJIFILMCCD-RAW 0201", "a raw photo", id="Fujifilm RAF"),
        pytest.param(b"%PDF-1.7", "a PDF document", id="PDF"),
        pytest.param(b"\n\n<!DOCTYPE HTML><html>", "a web page", id="an error page that was saved"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1", "a Git LFS pointer", id="an LFS pointer"),
        pytest.param(b"Rar!\x1a\x07\x01\x00", "a rar archive", id="rar"),
        pytest.param(b"", "empty", id="nothing"),
        pytest.param(bytes(HEAD_BYTES), "empty", id="zeros, of a copy that broke off"),
    ],
)
def test_content_has_a_name(head: bytes, what: str) -> None:
    named = named_by_content(head)
    assert named is not None
    assert named.startswith(what)
    assert "; " in named, "it says what to do"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "BMP", "WEBP"])
def test_what_can_be_read_has_none(kind: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(file, kind)
    assert named_by_content(file.getvalue()[:HEAD_BYTES]) is None
