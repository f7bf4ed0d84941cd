"""What a file is by its first bytes, for messages about one that is not what its name says."""

HEAD_BYTES = 64

HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
"""Of the `ftyp` box (ISO/IEC 23008-12, 10.2); `mif1` may be an AVIF too, which is read and so is not asked about here."""

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "a PDF document; export its photos as JPEG"),
    (b"PK\x03\x04", "a zip archive; name the archive itself, or the photos in it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive; make it a zip or tar archive"),
    (b"Rar!\x1a\x07", "a rar archive; make it a zip or tar archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive; make it a zip, tar or tar.gz archive"),
    (b"FUJIFILMCCD-RAW", "a raw photo; convert it to JPEG"),
    (b"IIU\0", "a raw photo; convert it to JPEG"),
    (b"IIRO", "a raw photo; convert it to JPEG"),
    (b"MMOR", "a raw photo; convert it to JPEG"),
    (b"FOVb", "a raw photo; convert it to JPEG"),
    (b"\x1aE\xdf\xa3", "a video; extract its frames as JPEG"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL photo; convert it to JPEG"),
    (b"\xff\x0a", "a JPEG XL photo; convert it to JPEG"),
    (b"GIF8", "a GIF; export its picture as PNG or JPEG"),
    (b"<svg", "an SVG drawing; export it as PNG"),
    (b"<!doctype html", "a web page; download the photo itself"),
    (b"<html", "a web page; download the photo itself"),
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file itself with git lfs pull"),
)


def named_by_content(head: bytes) -> str | None:
    """Return what a file with this beginning is, with a way out, as the end of a sentence; None where nobody can say."""
    if not head.strip(b"\0"):
        return "empty; copy it again from where it is whole"
    if head[4:8] == b"ftyp":
        return _in_iso_container(head[8:12])
    text = head.lstrip().lower()
    return next((what for begin, what in _BEGINNINGS if head.startswith(begin) or text.startswith(begin)), None)


def _in_iso_container(brand: bytes) -> str:
    if brand in HEIF_BRANDS:
        return "a HEIC photo of a kind that can't be read; convert it to JPEG"
    if brand == b"crx ":
        return "a raw photo; convert it to JPEG"
    return "a video; extract its frames as JPEG"
