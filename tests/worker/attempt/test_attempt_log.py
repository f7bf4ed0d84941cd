"""An attempt runs on, whatever keeps its log from being written."""

import io
import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoPermissionError

from recon_api import reasons
from recon_api.errors import TransientError
from recon_worker.attempt.attempt_log import AttemptLog
from recon_worker.attempt.progress_reporter import ProgressReporter
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.storage.storage import OpenLog

ADDRESS = "file:///storage/outputs/shop/.logs/uid/attempt-1.log"
REFUSED = TransientError(reasons.STORAGE_FAILED, "the bucket does not answer")


def opened(*, now: bool = True, at_the_end: Exception | None = None) -> AbstractContextManager[OpenLog]:
    @contextmanager
    def log() -> Iterator[OpenLog]:
        yield OpenLog(io.BytesIO(), ADDRESS, readable_now=now)
        if at_the_end:
            raise at_the_end

    return log()


@pytest.fixture
def progress() -> ProgressReporter:
    return ProgressReporter(lambda _: None, StopOrder())


@pytest.mark.parametrize("now", [True, False])
def test_its_address_is_shown_once_it_can_be_read(progress: ProgressReporter, now: bool) -> None:
    with AttemptLog(lambda: opened(now=now), progress) as log:
        assert (log.address, progress.log_address) == ("", ADDRESS if now else "")
    assert log.address == ADDRESS


@pytest.mark.parametrize(
    "error",
    [
        OSError(30, "Read-only file system"),
        RedisConnectionError("away"),
        NoPermissionError("rules of an older chart"),
        REFUSED,
    ],
    ids=lambda error: type(error).__name__,
)
def test_one_that_cannot_be_opened_is_left_out(
    progress: ProgressReporter, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    def fail() -> AbstractContextManager[OpenLog]:
        raise error

    with AttemptLog(fail, progress) as log:
        logging.getLogger("recon_worker").info("the attempt runs")
    assert (log.address, progress.log_address) == ("", "")
    assert "the attempt has no log of its own" in caplog.text


def test_one_that_cannot_be_uploaded_is_not_named(progress: ProgressReporter, caplog: pytest.LogCaptureFixture) -> None:
    with AttemptLog(lambda: opened(now=False, at_the_end=REFUSED), progress) as log:
        pass
    assert log.address == ""
    assert "the attempt's log is lost" in caplog.text
