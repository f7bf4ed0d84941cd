"""Logs in a folder of outputs that other programs may write too."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recon_worker.files.attempt_logs import LOGS, open_log, remove_logs
from tests.support.sealed import UID

NAME = "attempt-3.log"


def written(outputs: Path, text: bytes = b"a line\n") -> Path:
    with open_log(outputs, UID, 3) as stream:
        stream.write(text)
    return outputs / LOGS / UID / NAME


def test_a_log_lies_where_its_job_and_attempt_say(tmp_path: Path) -> None:
    assert written(tmp_path / "outputs" / "shop").read_text() == "a line\n"


def test_what_was_written_before_stays(tmp_path: Path) -> None:
    written(tmp_path, b"first\n")
    assert written(tmp_path, b"second\n").read_text() == "first\nsecond\n"


def test_the_folder_of_a_namespace_may_be_a_link(tmp_path: Path) -> None:
    """An administrator puts it where there is space; its own users cannot replace it."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "shop").symlink_to(tmp_path / "disk")
    written(tmp_path / "shop")
    assert (tmp_path / "disk" / LOGS / UID / NAME).exists()


def link_of_logs(outputs: Path, elsewhere: Path) -> None:
    (outputs / LOGS).symlink_to(elsewhere)


def link_of_job(outputs: Path, elsewhere: Path) -> None:
    (outputs / LOGS).mkdir()
    (outputs / LOGS / UID).symlink_to(elsewhere)


def link_of_log(outputs: Path, elsewhere: Path) -> None:
    (outputs / LOGS / UID).mkdir(parents=True)
    (outputs / LOGS / UID / NAME).symlink_to(elsewhere / NAME)


def dangling_link(outputs: Path, elsewhere: Path) -> None:
    (outputs / LOGS / UID).mkdir(parents=True)
    (outputs / LOGS / UID / NAME).symlink_to(elsewhere / "new")


def pipe(outputs: Path, _: Path) -> None:
    (outputs / LOGS / UID).mkdir(parents=True)
    os.mkfifo(outputs / LOGS / UID / NAME)


def read_pipe(outputs: Path, _: Path) -> None:
    pipe(outputs, _)
    os.open(outputs / LOGS / UID / NAME, os.O_RDONLY | os.O_NONBLOCK)


@pytest.mark.parametrize("prepare", [link_of_logs, link_of_job, link_of_log, dangling_link, pipe, read_pipe])
def test_nothing_but_a_file_of_the_folder_is_written(tmp_path: Path, prepare: Callable[[Path, Path], None]) -> None:
    outputs, elsewhere = tmp_path / "shop", tmp_path / "other"
    outputs.mkdir()
    elsewhere.mkdir()
    (elsewhere / NAME).write_text("of another tenant\n")
    prepare(outputs, elsewhere)
    with pytest.raises(OSError, match=r"."):
        written(outputs)
    remove_logs(outputs, UID)
    assert [(path.name, path.read_text()) for path in elsewhere.iterdir()] == [(NAME, "of another tenant\n")]


def test_the_logs_of_a_job_go_together_and_no_others(tmp_path: Path) -> None:
    written(tmp_path)
    with open_log(tmp_path, UID, 4), open_log(tmp_path, "another-job", 1):
        pass
    remove_logs(tmp_path, UID)
    remove_logs(tmp_path, UID)
    assert [path.name for path in (tmp_path / LOGS).iterdir()] == ["another-job"]
    remove_logs(tmp_path, "another-job")
    assert not list(tmp_path.iterdir())


def test_logs_are_opened_while_those_of_others_are_removed(tmp_path: Path) -> None:
    def remove_others() -> None:
        for number in range(300):
            with open_log(tmp_path, f"other-{number}", 1):
                pass
            remove_logs(tmp_path, f"other-{number}")

    with ThreadPoolExecutor(1) as thread:
        others = thread.submit(remove_others)
        while not others.done():
            written(tmp_path)
            remove_logs(tmp_path, UID)
        others.result()
    assert not list(tmp_path.iterdir())


def test_where_there_are_none_nothing_is_removed(tmp_path: Path) -> None:
    remove_logs(tmp_path / "missing", UID)
    remove_logs(tmp_path, UID)
    assert not list(tmp_path.iterdir())
