"""Where a result can't be published is found out before any work, and by whose mistake."""

import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from recon_api import reasons
from recon_api.errors import ReconstructionError, TransientError, UsageError
from recon_api.payload import TaskPayload
from recon_worker.attempt.attempt_result import known_error
from recon_worker.attempt.run import AttemptResources, run_attempt
from recon_worker.inputs.limits import InputLimits
from recon_worker.models.installed import Models
from recon_worker.progress import SilentSink
from recon_worker.publishing.folder_swap import publish
from recon_worker.publishing.trial import try_publishing
from recon_worker.remote.locations import RemoteAccess
from recon_worker.storage.volume import VolumeStorage
from tests.support.sealed import UID, nothing, sealed

NOBODY = 65534
OTHER_FILE_SYSTEMS = (Path("/dev/shm"), Path("/tmp"), Path("/run"), Path.home())


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A storage with a result, a file and a folder."""
    outputs = tmp_path / "outputs" / "shop"
    publish(sealed(tmp_path), outputs / "chair", nothing)
    (outputs / "note.txt").write_text("a file")
    return tmp_path


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the test's."""
    device = tmp_path.stat().st_dev
    other = next(each for each in OTHER_FILE_SYSTEMS if each.is_dir() and each.stat().st_dev != device)
    with tempfile.TemporaryDirectory(dir=other) as made:
        yield Path(made)


def begin(root: Path, path: str | None) -> ReconstructionError | None:
    """Run an attempt until its work would begin; return why it can't, None where it can."""
    payload = TaskPayload(
        job_id=UID,
        model_type="synthetic",
        namespace="shop",
        name="table",
        attempt=1,
        output_path=path,
        parameters={"noop": True},
    )
    resources = AttemptResources(VolumeStorage(root), Models(None, "cpu"), InputLimits(), RemoteAccess())
    began: list[str] = []
    sink = SilentSink()
    sink.show = lambda *_: began.append("work")  # type: ignore[method-assign]
    try:
        run_attempt(payload, resources, {}, sink, nothing)
    except BaseException as error:  # noqa: BLE001 - as an attempt does
        assert not began, "it was found out after the work"
        return known_error(error)
    return None


def everything(root: Path) -> set[Path]:
    return {path for path in root.rglob("*") if root / "work" not in path.parents and path.name != "work"}


LONG = "n" * 256
DEEP = "/".join(["d" * 200] * 25)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        pytest.param(LONG, "so long a name; shorten it", id="a name longer than a file system holds"),
        pytest.param("ä" * 128, "so long a name; shorten it", id="a name whose bytes are more than its letters"),
        pytest.param(f"new/{LONG}/x", "the storage cannot hold", id="such a name in the middle"),
        pytest.param(DEEP, "so long a name", id="a path longer than a file system holds"),
        pytest.param("note.txt", "is a file or a dead link", id="a file"),
        pytest.param("note.txt/mesh", "a file lies where it needs a folder", id="a path through a file"),
        pytest.param("nowhere", "is a file or a dead link", id="a link that leads nowhere"),
        pytest.param("circle/x", "lead in a circle", id="links that lead in a circle"),
    ],
)
def test_a_destination_that_its_owner_must_change_fails_the_job_at_once(root: Path, path: str, words: str) -> None:
    outputs = root / "outputs" / "shop"
    (outputs / "nowhere").symlink_to("gone")
    (outputs / "circle").symlink_to("circle")
    before = everything(root)
    error = begin(root, path)
    assert isinstance(error, UsageError), error
    assert error.reason == reasons.INVALID_SPEC
    assert words in error.message
    assert everything(root) == before


@pytest.mark.parametrize("path", [None, "chair", "new", "new/deep/er", "n" * 255, "ä" * 127])
def test_a_trial_that_succeeds_leaves_nothing(root: Path, path: str | None) -> None:
    before = everything(root)
    folder = VolumeStorage(root).output("shop", path or "table")
    try_publishing(folder, root / "work" / UID, UID, 1)
    assert everything(root) == before
    assert not list((root / "work" / UID).iterdir())
    assert begin(root, path) is None
    assert (folder / "manifest.json").exists()


def link_to(root: Path, elsewhere: Path, at: str) -> None:
    (root / "outputs" / "garden").mkdir(parents=True, exist_ok=True)
    (root / at).parent.mkdir(parents=True, exist_ok=True)
    if (root / at).is_dir():
        (root / at).rename(root / "moved")
    (root / at).symlink_to(elsewhere)


@pytest.mark.parametrize("at", ["outputs", "outputs/shop", "work"])
@pytest.mark.parametrize("path", ["table", "new/table"])
def test_another_file_system_is_refused_with_what_to_do(root: Path, elsewhere: Path, at: str, path: str) -> None:
    link_to(root, elsewhere, at)
    error = begin(root, path)
    assert isinstance(error, UsageError), error
    assert error.reason == reasons.NOT_SUPPORTED
    assert "another file system" in error.message
    assert "output.path" in error.message
    assert not [path for path in elsewhere.rglob("*") if path.name.startswith(".")]


@contextmanager
def full() -> Iterator[None]:
    """No file may grow, as on a disk without space or beyond a quota."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def without_rights() -> Iterator[None]:
    """The process is nobody's, where it was root: the rights of folders count."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.fixture
def shared_root() -> Iterator[Path]:
    """A storage below a folder that anybody may pass."""
    with tempfile.TemporaryDirectory() as made:
        for folder in ("", "work", "outputs", "outputs/shop"):
            (Path(made) / folder).mkdir(exist_ok=True)
            (Path(made) / folder).chmod(0o777)
        yield Path(made)


def forbid(folder: Path) -> None:
    folder.chmod(0o555)


@pytest.mark.parametrize(
    ("spoil", "during"),
    [
        pytest.param(lambda _: None, full, id="nothing more can be written"),
        pytest.param(lambda root: forbid(root / "outputs" / "shop"), without_rights, id="a read-only outputs folder"),
        pytest.param(lambda root: forbid(root / "work"), without_rights, id="a read-only work folder"),
    ],
)
def test_the_storage_s_own_trouble_is_found_before_the_work_and_tried_again(
    shared_root: Path,
    spoil: Callable[[Path], None],
    during: Callable[[], AbstractContextManager[None]],
) -> None:
    spoil(shared_root)
    with during():
        error = begin(shared_root, "table")
    assert isinstance(error, TransientError), error
    assert error.reason == reasons.STORAGE_FAILED
    assert not list((shared_root / "outputs" / "shop").iterdir())


def try_again(root: Path, path: str) -> None:
    try_publishing(root / "outputs" / "shop" / path, root / "work" / UID, UID, 2)


def remove_outputs(root: Path, path: str) -> None:
    VolumeStorage(root).remove_outputs("shop", path, UID)


def make_parent_and_try_again(root: Path, path: str) -> None:
    parent = (root / "outputs" / "shop" / path).parent
    parent.mkdir(parents=True)
    try_again(root, path)
    parent.rmdir()


@pytest.mark.parametrize(
    ("path", "removes"),
    [
        pytest.param("table", try_again, id="the next trial"),
        pytest.param("new/table", make_parent_and_try_again, id="the next trial, in a folder made since"),
        pytest.param("table", remove_outputs, id="the job's outputs"),
        pytest.param("new/table", remove_outputs, id="the job's outputs, of which no folder was made"),
    ],
)
def test_what_a_death_in_a_trial_has_left_goes_with(
    root: Path, path: str, removes: Callable[[Path, str], None]
) -> None:
    folder, work = root / "outputs" / "shop" / path, root / "work" / UID
    before = everything(root)

    class Died(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Died

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("recon_worker.publishing.trial._make_names", die)
        patch.setattr("shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(Died):
            try_publishing(folder, work, UID, 1)
    assert everything(root) != before
    removes(root, path)
    assert everything(root) == before


def test_a_long_name_that_no_job_can_have_published_can_be_removed(root: Path) -> None:
    VolumeStorage(root).remove_outputs("shop", LONG, UID)
    assert VolumeStorage(root).find_local_result("shop", LONG, UID) is None
