"""Work that can't be interrupted, beside a thread that can; and one load of a model for whoever waits for it."""

import io
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recon_api import reasons
from recon_api.errors import JobCancelled
from recon_api.steps import Step
from recon_worker.files.cancellable_file import checked, sha256_of
from recon_worker.inputs.limits import InputLimits
from recon_worker.inputs.photo import prepare_photo
from recon_worker.models.installed import Models
from recon_worker.models.multiview import MultiView
from recon_worker.progress import Progress, SilentSink
from recon_worker.stages.background import StopWorking, wait_for

CANCELLED = JobCancelled(reasons.CANCELLED, "asked to")


class Ordered(SilentSink):
    """Work that somebody stops."""

    def raise_if_stopped(self) -> None:
        """Stop it at once."""
        raise CANCELLED


def test_the_result_of_work_beside_the_job_comes_back() -> None:
    assert wait_for(lambda _: 42, Progress.silent()) == 42


def test_an_error_of_work_beside_the_job_is_raised() -> None:
    def fail(_: Callable[[], None]) -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        wait_for(fail, Progress.silent())


def test_nobody_waits_for_work_that_is_not_wanted_any_more_and_it_goes_no_further() -> None:
    left, ended, how = threading.Event(), threading.Event(), []

    def work(check: Callable[[], None]) -> None:
        left.wait()  # native code: it ends when it likes
        try:
            check()
        except StopWorking as stopped:
            how.append(stopped)
        ended.set()

    with pytest.raises(JobCancelled):
        wait_for(work, Progress(Ordered(), Step.LOADING, 0.0, 10.0))
    left.set()
    assert ended.wait(60)
    assert how


def test_a_model_is_loaded_once_whoever_asks_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    models, loads, begun, go_on = Models(None, "cpu"), [], threading.Event(), threading.Event()

    def load(model: MultiView, _: Path | None, __: str) -> None:
        begun.set()
        go_on.wait()
        loads.append(model)

    monkeypatch.setattr(MultiView, "load", load)
    model = models.model("multiview")
    askers = [threading.Thread(target=models.load, args=[model]) for _ in range(3)]
    for asker in askers:
        asker.start()
    assert begun.wait(60)
    go_on.set()
    for asker in askers:
        asker.join()
    assert loads == [model]


class Looks:
    """Counts looks, and stops the work at one of them."""

    def __init__(self, last: int = 0) -> None:
        self.count, self._last = 0, last

    def __call__(self) -> None:
        self.count += 1
        if self.count == self._last:
            raise CANCELLED


@pytest.fixture
def sideways(tmp_path: Path) -> Path:
    """A photo as phones write it: turned by its EXIF data, so that it must be decoded and written anew."""
    noise = np.random.default_rng(0).integers(0, 255, (600, 800, 3), np.uint8)
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(noise).save(tmp_path / "sideways.jpg", quality=95, exif=exif)
    return tmp_path / "sideways.jpg"


def test_a_photo_is_left_in_the_middle_wherever_that_is(sideways: Path, tmp_path: Path) -> None:
    def prepare(looks: Looks) -> None:
        with sideways.open("rb") as file:
            prepare_photo(file, sideways, tmp_path / "00000", InputLimits(), looks)

    whole = Looks()
    prepare(whole)
    assert whole.count > 20
    for last in range(1, whole.count + 1):
        with pytest.raises(JobCancelled):
            prepare(Looks(last))


def test_a_checked_file_reads_and_writes_what_the_file_does() -> None:
    inner = io.BytesIO(b"0123456789" * 100_000)
    file = checked(inner, Looks())
    assert (file.readable(), file.writable(), file.seekable()) == (True, True, True)
    assert file.seek(5) == file.tell() == 5
    assert file.read(7) == b"5678901"
    assert file.read() == inner.getvalue()[12:]
    assert file.write(b"end") == 3
    assert inner.getvalue().endswith(b"9end")
    inner.seek(0)
    looks = Looks()
    assert sha256_of(inner, looks) == sha256_of(io.BytesIO(inner.getvalue()), Looks())
    assert looks.count > 1
