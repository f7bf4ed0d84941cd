"""What is taken for a set of photos, what comes out of it, and what is refused in which words."""

import io
import os
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.ExifTags import IFD, Base

from recon_api import reasons
from recon_api.errors import JobCancelled, UsageError
from recon_api.steps import Step
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import PhotoSource, source_in
from recon_worker.progress import SilentSink
from recon_worker.scene import Scene
from recon_worker.stages.load_photos import LOAD_PHOTOS, PhotoSet
from recon_worker.stages.stage import run_stages

SMALL = InputLimits(
    max_photos=10, max_photo_pixels=1_000_000, max_entries=30, max_archive_bytes=1 << 28, max_photo_bytes=1 << 27
)


def picture(seed: int = 0, mode: str = "RGB", size: tuple[int, int] = (96, 64)) -> Image.Image:
    gradient = Image.linear_gradient("L").resize(size).rotate(seed * 7)
    return Image.merge("RGB", (gradient, gradient.rotate(90), gradient.rotate(180))).convert(mode)


def saved(file: Path, image: Image.Image, **options: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file, **options)
    return file


def photos_in(folder: Path, count: int = 3) -> Path:
    for index in range(count):
        saved(folder / f"photo{index}.jpg", picture(index))
    folder.mkdir(exist_ok=True)
    return folder


def exif_of(tags: dict[int, object], camera: dict[int, object] | None = None) -> Image.Exif:
    exif = Image.Exif()
    exif.update(tags)
    exif.get_ifd(IFD.Exif).update(camera or {})
    return exif


def load(path: Path, scene: Path, *, root: Path | None = None, limits: InputLimits = SMALL) -> PhotoSet:
    made = Scene(scene)
    run_stages([LOAD_PHOTOS], made, PhotoSource(path, root or path.parent, limits=limits), SilentSink())
    return PhotoSet.load(made.folder("load_photos"))


def files_of(scene: Path) -> list[str]:
    return sorted(file.name for file in scene.rglob("*") if file.is_file())


# --- what is taken -----------------------------------------------------------------------------------------------


def test_photos_are_listed_as_a_person_would_and_left_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in ("photo10.jpg", "photo2.jpg", "sub/photo1.PNG", "photo1.jpeg"):
        saved(folder / name, picture(len(name) + len(name.split(".")[0])))
    for clutter in ("README.txt", ".DS_Store", "Thumbs.db", "__MACOSX/._photo1.jpg", ".hidden/photo.jpg", "._x.jpg"):
        (folder / clutter).parent.mkdir(exist_ok=True)
        (folder / clutter).write_text("clutter")
    loaded = load(folder, tmp_path / "scene")
    assert [photo.source for photo in loaded.photos] == ["photo1.jpeg", "photo2.jpg", "photo10.jpg", "sub/photo1.PNG"]
    assert [photo.file for photo in loaded.photos] == ["00000.jpg", "00001.jpg", "00002.jpg", "00003.png"]
    written = next((tmp_path / "scene").glob("*/00001.jpg"))
    assert written.samefile(folder / "photo2.jpg")


def test_names_that_no_terminal_should_see_are_escaped(tmp_path: Path) -> None:
    folder = photos_in(tmp_path / "in")
    (folder / "photo0.jpg").rename(os.fsdecode(os.fsencode(folder) + b"/caf\xe9\x1b.jpg"))
    assert load(folder, tmp_path / "scene").photos[0].source == r"caf\xe9\x1b.jpg"


@pytest.mark.parametrize(
    ("suffix", "mode", "options"),
    [
        pytest.param(".jpg", "L", {}, id="greyscale"),
        pytest.param(".jpg", "CMYK", {}, id="CMYK"),
        pytest.param(".png", "P", {}, id="palette"),
        pytest.param(".png", "1", {}, id="black and white"),
        pytest.param(".tif", "RGB", {}, id="TIFF"),
        pytest.param(".webp", "RGB", {}, id="WebP"),
        pytest.param(".bmp", "RGB", {}, id="BMP"),
        pytest.param(".mpo", "RGB", {"format": "MPO", "save_all": True, "append_images": [picture(9)]}, id="MPO"),
    ],
)
def test_other_kinds_become_8_bit_rgb(tmp_path: Path, suffix: str, mode: str, options: dict[str, object]) -> None:
    for seed in range(3):
        saved(tmp_path / "in" / f"{seed}{suffix}", picture(seed, mode), **options)
    loaded = load(tmp_path / "in", tmp_path / "scene")
    assert len(loaded.photos) == 3
    for photo in loaded.photos:
        image = Image.open(next((tmp_path / "scene").glob(f"*/{photo.file}")))
        image.load()
        assert (image.mode, image.size, photo.has_alpha) == ("RGB", (96, 64), False)
        assert image.format in ("JPEG", "PNG", "MPO")


def test_deep_greys_of_one_set_are_scaled_alike(tmp_path: Path) -> None:
    folder = photos_in(tmp_path / "in")
    for name, value in (("y.png", 1000), ("z.png", 4000)):
        saved(folder / name, Image.frombytes("I;16", (64, 64), struct.pack("<H", value) * 64 * 64))
    loaded = load(folder, tmp_path / "scene")
    images = [Image.open(next((tmp_path / "scene").glob(f"*/{photo.file}"))) for photo in loaded.photos[-2:]]
    assert [image.getpixel((32, 32)) for image in images] == [(62, 62, 62), (249, 249, 249)]


def test_transparency_is_kept_only_where_there_is_any(tmp_path: Path) -> None:
    folder = photos_in(tmp_path / "in")
    cut_out = picture(4, "RGBA")
    cut_out.putalpha(Image.linear_gradient("L").resize((96, 64)))
    saved(folder / "y.png", cut_out)
    saved(folder / "z.png", picture(5, "RGBA"))
    loaded = load(folder, tmp_path / "scene")
    assert [(photo.source, photo.has_alpha) for photo in loaded.photos[-2:]] == [("y.png", True), ("z.png", False)]
    assert loaded.photos[-2].file.endswith(".png")


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_photos_stand_upright(tmp_path: Path, orientation: int) -> None:
    turned = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
    upright = Image.new("RGB", (96, 64), "blue")
    upright.paste("red", (0, 0, 96, 20))
    folder = photos_in(tmp_path / "in")
    saved(folder / "z.jpg", upright.transpose(turned), exif=exif_of({Base.Orientation: orientation}), quality=95)
    photo = load(folder, tmp_path / "scene").photos[-1]
    image = Image.open(next((tmp_path / "scene").glob(f"*/{photo.file}")))
    assert (photo.width, photo.height) == image.size == (96, 64)
    assert image.getexif().get(Base.Orientation, 1) == 1
    red, _, blue = image.getpixel((48, 5))  # type: ignore[misc]
    assert red > 200 > blue


@pytest.mark.parametrize(
    ("tags", "focal_px"),
    [
        pytest.param({Base.FocalLengthIn35mmFilm: 26}, 26 / 43.2666 * 500, id="35 mm equivalent, over the diagonal"),
        pytest.param(
            {Base.FocalLength: 50.0, Base.FocalPlaneXResolution: 254.0, Base.FocalPlaneResolutionUnit: 2},
            500.0,
            id="focal plane in pixels an inch",
        ),
        pytest.param(
            {Base.FocalLength: 50.0, Base.FocalPlaneXResolution: 100.0, Base.FocalPlaneResolutionUnit: 3},
            500.0,
            id="focal plane in pixels a centimetre",
        ),
        pytest.param(
            {Base.FocalLength: 50.0, Base.FocalPlaneXResolution: 2540.0, Base.ExifImageWidth: 4000},
            500.0,
            id="a photo made smaller: ten times fewer pixels than its sensor had",
        ),
        pytest.param({Base.FocalLength: 50.0}, None, id="millimetres without the sensor's size say nothing"),
        pytest.param({Base.FocalLengthIn35mmFilm: 0}, None, id="0 means unknown"),
        pytest.param({Base.FocalLengthIn35mmFilm: 60000}, None, id="implausible"),
        pytest.param({}, None, id="no EXIF"),
    ],
)
def test_focal_length(tmp_path: Path, tags: dict[int, object], focal_px: float | None) -> None:
    for seed in range(3):
        saved(tmp_path / "in" / f"{seed}.jpg", picture(seed, size=(400, 300)), exif=exif_of({}, tags))
    photo = load(tmp_path / "in", tmp_path / "scene").photos[0]
    assert photo.focal_px == (None if focal_px is None else pytest.approx(focal_px, rel=1e-4))


def test_identical_photos_count_once(tmp_path: Path) -> None:
    folder = photos_in(tmp_path / "in", 3)
    (folder / "copy.jpg").write_bytes((folder / "photo0.jpg").read_bytes())
    assert [photo.source for photo in load(folder, tmp_path / "scene").photos] == [
        "copy.jpg",
        "photo1.jpg",
        "photo2.jpg",
    ]
    assert sorted(file.name for file in (tmp_path / "scene").rglob("*.jpg")) == ["00000.jpg", "00002.jpg", "00003.jpg"]


def zip_of(folder: Path, file: Path) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder.parent))
    return file


def tar_of(folder: Path, file: Path, mode: str) -> Path:
    with tarfile.open(file, mode) as archive:  # type: ignore[call-overload]
        archive.add(folder, folder.name)
    return file


@pytest.mark.parametrize(
    "pack",
    [
        pytest.param(lambda folder: zip_of(folder, folder.parent / "photos.zip"), id="zip"),
        pytest.param(lambda folder: zip_of(folder, folder.parent / "photos"), id="zip without an extension"),
        pytest.param(lambda folder: tar_of(folder, folder.parent / "p.tar", "w"), id="tar"),
        pytest.param(lambda folder: tar_of(folder, folder.parent / "p.tar.gz", "w:gz"), id="tar.gz"),
        pytest.param(lambda folder: tar_of(folder, folder.parent / "p.tar.bz2", "w:bz2"), id="tar.bz2"),
        pytest.param(lambda folder: tar_of(folder, folder.parent / "p.tar.xz", "w:xz"), id="tar.xz"),
    ],
)
def test_an_archive_is_as_good_as_its_folder(tmp_path: Path, pack: Callable[[Path], Path]) -> None:
    folder = photos_in(tmp_path / "in" / "chair", 3)
    (folder / "notes.txt").write_text("no photo")
    (folder / ".DS_Store").write_text("clutter")
    loaded = load(pack(folder), tmp_path / "scene")
    assert [photo.source for photo in loaded.photos] == [f"chair/photo{index}.jpg" for index in range(3)]
    visible = [name for name in files_of(tmp_path / "scene") if not name.startswith(".")]
    assert visible == ["00000.jpg", "00001.jpg", "00002.jpg", "photos.json", "report.json"]


def test_a_changed_folder_is_read_again_and_the_same_one_is_not(tmp_path: Path) -> None:
    folder = photos_in(tmp_path / "in", 3)
    load(folder, tmp_path / "scene")
    load(folder, tmp_path / "scene")
    assert len(list((tmp_path / "scene").iterdir())) == 1
    saved(folder / "photo3.jpg", picture(3))
    assert len(load(folder, tmp_path / "scene").photos) == 4


# --- what is refused ---------------------------------------------------------------------------------------------


def text_as_jpeg(folder: Path) -> Path:
    (photos_in(folder) / "a.jpg").write_text("I am no photo")
    return folder


def many_bad(folder: Path) -> Path:
    for index in range(7):
        (photos_in(folder) / f"bad{index}.jpg").write_text("I am no photo")
    return folder


def cut_short(folder: Path, suffix: str) -> Path:
    file = saved(photos_in(folder) / f"z{suffix}", picture(8, size=(400, 300)))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return folder


def gigantic_png(folder: Path) -> Path:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 65000, 65000, 8, 2, 0, 0, 0))
    data = b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (photos_in(folder) / "big.png").write_bytes(data)
    return folder


def made(folder: Path, *names: str) -> Path:
    folder.mkdir()
    for name in names:
        (folder / name).write_text("x")
    return folder


def link_outside(folder: Path) -> Path:
    secret = saved(folder.parent.parent / "secret.jpg", picture(6))
    (photos_in(folder) / "z.jpg").symlink_to(secret)
    return folder


def folder_linked_outside(folder: Path) -> Path:
    folder.symlink_to(photos_in(folder.parent.parent / "others", 3))
    return folder


def pipe(folder: Path) -> Path:
    os.mkfifo(photos_in(folder) / "z.jpg")
    return folder


def circle(folder: Path) -> Path:
    folder.symlink_to(folder)
    return folder


def hostile_zip(folder: Path, name: str, mode: int = stat.S_IFREG | 0o644) -> Path:
    file = zip_of(photos_in(folder), folder.parent / "bad.zip")
    with zipfile.ZipFile(file, "a") as archive:
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        archive.writestr(info, "/etc/passwd")
    return file


def hostile_tar(folder: Path, name: str, kind: bytes = tarfile.REGTYPE) -> Path:
    file = tar_of(photos_in(folder), folder.parent / "bad.tar", "w")
    with tarfile.open(file, "a") as archive:
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    return file


def zip_bomb(folder: Path) -> Path:
    file = folder.parent / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("photo.jpg", bytes(100 << 20))
    return file


def lying_zip(folder: Path) -> Path:
    """Return a bomb whose headers say that it holds 9 bytes."""
    file = zip_bomb(folder)
    data = file.read_bytes()
    file.write_bytes(data.replace(struct.pack("<I", 100 << 20), struct.pack("<I", 9)))
    return file


def tar_bomb(folder: Path) -> Path:
    """Return a bomb in an entry that is no photo."""
    file = folder.parent / "bomb.tar.gz"
    with tarfile.open(file, "w:gz") as archive:
        info = tarfile.TarInfo("notes.txt")
        info.size = 100 << 20
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    return file


def damaged_zip(folder: Path) -> Path:
    file = zip_of(photos_in(folder), folder.parent / "bad.zip")
    data = bytearray(file.read_bytes())
    data[200:260] = bytes(60)
    file.write_bytes(data)
    return file


def cut_tar(folder: Path) -> Path:
    file = tar_of(photos_in(folder), folder.parent / "cut.tar.gz", "w:gz")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    return file


@pytest.mark.parametrize(
    ("make", "reason", "words"),
    [
        pytest.param(lambda f: f, reasons.INPUT_NOT_FOUND, "no such folder or archive", id="nothing there"),
        pytest.param(made, reasons.INPUT_REJECTED, "holds no photos; JPEG, HEIC", id="an empty folder"),
        pytest.param(lambda f: made(f, "a.txt"), reasons.INPUT_REJECTED, "holds no photos", id="no images in it"),
        pytest.param(lambda f: made(f, "a.mp4"), reasons.INPUT_REJECTED, "but a video", id="a video in it"),
        pytest.param(lambda f: made(f, "a.zip"), reasons.INPUT_REJECTED, "give that archive itself", id="a zip in it"),
        pytest.param(
            lambda f: made(f, "a.CR2", "b.jpg"),
            reasons.INPUT_REJECTED,
            "convert raw photos to JPEG",
            id="a raw photo",
        ),
        pytest.param(lambda f: photos_in(f, 1), reasons.TOO_FEW_PHOTOS, "holds 1 photo; at least 3", id="one photo"),
        pytest.param(lambda f: photos_in(f, 2), reasons.TOO_FEW_PHOTOS, "holds 2 photos; at least 3", id="two photos"),
        pytest.param(
            lambda f: photos_in(f, 1) / "photo0.jpg", reasons.TOO_FEW_PHOTOS, "is a single photo", id="a photo itself"
        ),
        pytest.param(lambda f: made(f, "a.mp4") / "a.mp4", reasons.INPUT_REJECTED, "is a video", id="a video itself"),
        pytest.param(
            lambda f: made(f, "a.txt") / "a.txt", reasons.INPUT_REJECTED, "neither a folder nor a zip", id="a text file"
        ),
        pytest.param(lambda f: photos_in(f, 11), reasons.INPUT_REJECTED, "at most 10 are taken", id="too many photos"),
        pytest.param(
            lambda f: made(f, *(f"{i}.txt" for i in range(31))), reasons.INPUT_REJECTED, "more than 30", id="many files"
        ),
        pytest.param(text_as_jpeg, reasons.INPUT_REJECTED, "a.jpg is not an image", id="a text named .jpg"),
        pytest.param(many_bad, reasons.INPUT_REJECTED, "and 2 more; replace or remove", id="five bad files are named"),
        pytest.param(
            lambda f: cut_short(f, ".jpg"), reasons.INPUT_REJECTED, "z.jpg is cut short", id="a truncated JPEG"
        ),
        pytest.param(
            lambda f: cut_short(f, ".png"), reasons.INPUT_REJECTED, "z.png is cut short", id="a truncated PNG"
        ),
        pytest.param(gigantic_png, reasons.INPUT_REJECTED, "big.png is 65000 x 65000 pixels; at most 1", id="gigantic"),
        pytest.param(
            lambda f: saved(photos_in(f, 2) / "z.png", picture(size=(8, 8))).parent,
            reasons.INPUT_REJECTED,
            "z.png is 8 x 8 pixels; its sides must be 64",
            id="tiny",
        ),
        pytest.param(link_outside, reasons.INPUT_REJECTED, "z.jpg is a symbolic link that leads", id="a link outside"),
        pytest.param(
            folder_linked_outside, reasons.INPUT_REJECTED, "is a symbolic link that leads", id="a linked folder"
        ),
        pytest.param(circle, reasons.INPUT_REJECTED, "lead in a circle", id="a link to itself"),
        pytest.param(pipe, reasons.INPUT_REJECTED, "z.jpg is not a regular file", id="a named pipe"),
        pytest.param(lambda f: hostile_zip(f, "../x.jpg"), reasons.INPUT_REJECTED, "leads outside", id="zip: upwards"),
        pytest.param(lambda f: hostile_zip(f, "/x.jpg"), reasons.INPUT_REJECTED, "leads outside", id="zip: absolute"),
        pytest.param(
            lambda f: hostile_zip(f, "a\\..\\x"), reasons.INPUT_REJECTED, "leads outside", id="zip: backslashes"
        ),
        pytest.param(
            lambda f: hostile_zip(f, "x.jpg", stat.S_IFLNK | 0o777), reasons.INPUT_REJECTED, "is a link", id="zip: link"
        ),
        pytest.param(lambda f: hostile_tar(f, "../x.jpg"), reasons.INPUT_REJECTED, "leads outside", id="tar: upwards"),
        pytest.param(
            lambda f: hostile_tar(f, "x.jpg", tarfile.SYMTYPE), reasons.INPUT_REJECTED, "is a link", id="tar: link"
        ),
        pytest.param(
            lambda f: hostile_tar(f, "x.jpg", tarfile.LNKTYPE), reasons.INPUT_REJECTED, "is a link", id="tar: hard link"
        ),
        pytest.param(
            lambda f: hostile_tar(f, "x.jpg", tarfile.CHRTYPE), reasons.INPUT_REJECTED, "a device", id="tar: device"
        ),
        pytest.param(
            zip_bomb, reasons.INPUT_REJECTED, "more than 100 times its size", id="a zip bomb", marks=pytest.mark.slow
        ),
        pytest.param(lying_zip, reasons.INPUT_REJECTED, "", id="a zip bomb with false headers", marks=pytest.mark.slow),
        pytest.param(
            tar_bomb,
            reasons.INPUT_REJECTED,
            "more than 100 times its size",
            id="a tar bomb in no photo",
            marks=pytest.mark.slow,
        ),
        pytest.param(damaged_zip, reasons.INPUT_REJECTED, "is damaged", id="a damaged zip"),
        pytest.param(cut_tar, reasons.INPUT_REJECTED, "is cut off", id="a truncated tar.gz"),
    ],
)
def test_what_is_refused(tmp_path: Path, make: Callable[[Path], Path], reason: reasons.Reason, words: str) -> None:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(UsageError) as caught:
        load(make(root / "in"), tmp_path / "scene", root=root)
    assert caught.value.reason == reason
    assert words in caught.value.message
    assert files_of(tmp_path / "scene") == [], "nothing is left behind"


@pytest.mark.parametrize("path", ["/etc", "../other", "a/../../b", "", "a\0b"])
def test_a_path_outside_of_the_namespace_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError, match="must be relative"):
        source_in(tmp_path, path, SMALL)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Take the permissions of a user who owns nothing, where the tests run as root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if before == 0:
            os.seteuid(before)


@pytest.mark.parametrize("locked", ["in", "in/photo1.jpg"])
def test_what_may_not_be_read(tmp_path_factory: pytest.TempPathFactory, locked: str) -> None:
    root = tmp_path_factory.mktemp("open")
    for parent in (root, *(each for each in root.parents if each.name.startswith(("pytest-", "popen-")))):
        parent.chmod(0o755)
    (root / "scene").mkdir()
    (root / "scene").chmod(0o777)
    photos_in(root / "in")
    (root / locked).chmod(0)
    with as_nobody(), pytest.raises(UsageError) as caught:
        load(root / "in", root / "scene", root=root)
    (root / locked).chmod(0o755)
    assert caught.value.reason == reasons.INPUT_UNREADABLE
    assert "may not be read by the workers" in caught.value.message


class StopsAtOnce(SilentSink):
    """Lets the stage begin and stops it at its first check after."""

    def __init__(self) -> None:
        self.checks = 0

    def raise_if_stopped(self) -> None:
        self.checks += 1
        if self.checks > 2:
            raise JobCancelled(reasons.CANCELLED, "stopped by the test")


@pytest.mark.parametrize("packed", [True, False], ids=["unpacking", "decoding"])
def test_a_stop_leaves_nothing(tmp_path: Path, packed: bool) -> None:
    folder = photos_in(tmp_path / "in", 5)
    path = zip_of(folder, tmp_path / "in.zip") if packed else folder
    scene = Scene(tmp_path / "scene")
    with pytest.raises(JobCancelled):
        run_stages([LOAD_PHOTOS], scene, PhotoSource(path, tmp_path), StopsAtOnce())
    assert list((tmp_path / "scene").iterdir()) == []
    assert LOAD_PHOTOS.step is Step.LOADING
