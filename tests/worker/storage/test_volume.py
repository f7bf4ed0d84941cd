"""Where files lie on a shared volume."""

from collections.abc import Callable
from pathlib import Path

import pytest

from recon_api import reasons
from recon_api.errors import UsageError
from recon_api.payload import TaskPayload
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.source import PhotoSource
from recon_worker.progress import SilentSink
from recon_worker.publishing.destinations import Publishing
from recon_worker.remote.locations import RemoteAccess
from recon_worker.storage.volume import VolumeStorage
from tests.support.sealed import UID


@pytest.mark.parametrize(
    "lead_outside",
    [
        pytest.param(lambda storage: storage.inputs("../shop"), id="a namespace upwards"),
        pytest.param(lambda storage: storage.inputs(""), id="an empty namespace"),
        pytest.param(lambda storage: storage.outputs("Shop/x"), id="a namespace with a slash"),
        pytest.param(lambda storage: storage.work(".."), id="a uid upwards"),
        pytest.param(lambda storage: storage.work(""), id="an empty uid"),
        pytest.param(lambda storage: storage.discard("a/b"), id="discarding a path"),
        pytest.param(lambda storage: storage.output("shop", "/etc"), id="an absolute output"),
        pytest.param(lambda storage: storage.output("shop", "a/../../b"), id="an output upwards"),
        pytest.param(lambda storage: storage.output("shop", ""), id="no output"),
        pytest.param(lambda storage: storage.output("shop", ".hidden"), id="a hidden output"),
        pytest.param(lambda storage: storage.output("shop", "link/x"), id="an output over a link"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(tmp_path: Path, lead_outside: Callable[[VolumeStorage], object]) -> None:
    (tmp_path / "outputs" / "shop").mkdir(parents=True)
    (tmp_path / "outputs" / "shop" / "link").symlink_to("/tmp")
    with pytest.raises(UsageError) as caught:
        lead_outside(VolumeStorage(tmp_path))
    assert caught.value.reason == reasons.INVALID_SPEC


def test_a_log_is_no_reason_to_make_the_storage_itself(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), VolumeStorage(tmp_path / "storage").log("shop", UID, 1):
        pass
    assert not list(tmp_path.iterdir())


def test_a_log_is_named_where_it_lies(tmp_path: Path) -> None:
    storage = VolumeStorage(tmp_path)
    with storage.log("shop", UID, 2) as log:
        log.stream.write(b"a line\n")
    file = tmp_path / "outputs" / "shop" / ".logs" / UID / "attempt-2.log"
    assert (log.address, log.readable_now, file.read_text()) == (file.as_uri(), True, "a line\n")
    storage.remove_logs("shop", UID)
    assert not list((tmp_path / "outputs" / "shop").iterdir())


def test_paths_are_folders(tmp_path: Path) -> None:
    storage = VolumeStorage(tmp_path)
    job = TaskPayload(job_id=UID, namespace="shop", name="chair-job", attempt=1, input_path="chair")
    photos = storage.photos(job, RemoteAccess(), InputLimits())
    assert isinstance(photos, PhotoSource)
    assert photos.path == tmp_path / "inputs" / "shop" / "chair"
    destination = storage.destination(Publishing(job, lambda: None, SilentSink()), RemoteAccess())
    assert (destination.folder, destination.uploads) == (tmp_path / "outputs" / "shop" / "chair-job", None)
