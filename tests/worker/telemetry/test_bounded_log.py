"""The log of an attempt: what is in it, and how long it may become."""

import io
import logging
import threading
from collections.abc import Iterator

import pytest

from recon_worker.telemetry.bounded_log import HEAD_BYTES, LONGEST_LINE, TAIL_BYTES, BoundedLog, logging_to

logger = logging.getLogger("recon_worker.of_a_test")


@pytest.fixture(autouse=True)
def _log_all() -> Iterator[None]:
    root = logging.getLogger()
    before = root.level
    root.setLevel(logging.INFO)
    yield
    root.setLevel(before)


class FullDisk(io.BytesIO):
    """Takes so many writes, then says that the disk is full."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.left = writes

    def write(self, data: object) -> int:
        self.left -= 1
        if self.left < 0:
            raise OSError(28, "No space left on device")
        return super().write(data)  # type: ignore[arg-type]


def test_it_has_what_any_thread_logs_within_the_block() -> None:
    stream = io.BytesIO()
    logger.info("before")
    with logging_to(stream):
        logger.info("step %s begins", "Loading")
        thread = threading.Thread(target=logger.warning, args=("Redis does not answer",))
        thread.start()
        thread.join()
        try:
            int("no such thing")
        except ValueError:
            logger.exception("failed")
    logger.info("after")
    text = stream.getvalue().decode()
    first, second, third, *traceback = text.splitlines()
    assert first.endswith("INFO    step Loading begins")
    assert second.endswith("WARNING Redis does not answer")
    assert third.endswith("ERROR   failed")
    assert traceback[0] == "Traceback (most recent call last):"
    assert traceback[-1] == "ValueError: invalid literal for int() with base 10: 'no such thing'"


def test_a_name_that_is_no_text_is_escaped() -> None:
    stream = io.BytesIO()
    BoundedLog(stream).emit(logging.makeLogRecord({"msg": "caf\udce9.jpg", "levelname": "INFO"}))
    assert stream.getvalue().endswith(b"caf\\udce9.jpg\n")


def test_of_a_long_one_beginning_and_end_are_kept() -> None:
    stream = io.BytesIO()
    entries = 40_000
    with logging_to(stream):
        for number in range(entries):
            logger.info("entry %d of many that say nothing new", number)
        assert len(stream.getvalue()) <= HEAD_BYTES
    lines = stream.getvalue().decode().splitlines()
    (cut,) = [at for at, line in enumerate(lines) if "left out here" in line]
    assert len(stream.getvalue()) < HEAD_BYTES + TAIL_BYTES + 100
    assert "entry 0 " in lines[0]
    assert f"entry {entries - 1} " in lines[-1]
    assert int(lines[cut].split()[1]) == entries - (len(lines) - 1)


def test_a_long_entry_is_cut() -> None:
    stream = io.BytesIO()
    with logging_to(stream):
        logger.info("x" * 10 * LONGEST_LINE)
        logger.info("next")
    first, second = stream.getvalue().splitlines()
    assert (len(first), second[-4:]) == (LONGEST_LINE, b"next")


def test_a_full_disk_ends_the_log_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    stream = FullDisk(writes=1)
    with logging_to(stream):
        for number in range(3):
            logger.info("entry %d", number)
    assert stream.getvalue().count(b"entry") == 1
    assert "the attempt's log cannot be written" in capsys.readouterr().err
