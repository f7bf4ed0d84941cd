"""What `skaffold dev` starts in the images: changed code runs at once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.waiting import wait_for

pytestmark = pytest.mark.slow

PROGRAM = """
import pathlib, signal
from recon_shown import text
pathlib.Path({shown!r}).write_text(text.TEXT)
signal.pause()
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    package = tmp_path / "live" / "recon_shown"
    package.mkdir(parents=True)
    (package / "text.py").write_text("TEXT = 'as built'")
    return package


def _run(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    script = (
        "import pathlib, sys; from recon_dev.live import main; sys.exit(main(sys.argv[2:], pathlib.Path(sys.argv[1])))"
    )
    return subprocess.Popen([sys.executable, "-c", script, str(folder), *command])


@pytest.fixture
def running(code: Path, tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = _run([sys.executable, "-c", PROGRAM.format(shown=str(tmp_path / "shown"))], code.parent)
    yield process
    process.terminate()
    process.wait()


def test_a_changed_file_starts_the_command_again(running: subprocess.Popen[bytes], code: Path, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    wait_for("the code as it was built runs", lambda: shown.exists() and shown.read_text() == "as built")
    (code / "text.py").write_text("TEXT = 'changed'")
    os.utime(code / "text.py", (0, 0))  # as a copy from another machine may have it
    wait_for("the changed code runs", lambda: shown.read_text() == "changed")
    running.send_signal(signal.SIGTERM)
    assert running.wait() == 0


def test_a_command_that_ends_ends_it_with_its_own_status(tmp_path: Path) -> None:
    assert _run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path).wait() == 3
