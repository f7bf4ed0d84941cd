"""Crashes of attempts are noticed, and nothing else."""

import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

from recon_api.payload import ClaimOwner
from recon_worker.attempt.running_attempt import RunningAttempt, locked_file, running_attempts
from recon_worker.supervisor.crash_watch import CrashWatch


def running(attempt: int) -> RunningAttempt:
    owner = ClaimOwner(worker="w", boot_id="b", nonce=str(attempt))
    return RunningAttempt(
        uid="job", attempt=attempt, pid=os.getpid(), owner=owner, started_at=datetime.now(UTC), began=time.monotonic()
    )


def test_a_process_that_dies_in_its_attempt_is_noticed_and_one_that_lives_is_not(tmp_path: Path) -> None:
    reported: list[RunningAttempt] = []
    watch = CrashWatch(tmp_path, reported.append)
    child = os.fork()
    if child == 0:  # the process that dies
        with locked_file(tmp_path, running(1)):
            time.sleep(600)
    while not running_attempts(tmp_path):
        time.sleep(0.01)
    with locked_file(tmp_path, running(2)):
        watch.check()
        assert reported == []
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        watch.check()
        watch.check()
        assert [dead.attempt for dead in reported] == [1]
    watch.check()
    assert [dead.attempt for dead in reported] == [1]
