"""The log of each attempt lies beside the outputs, is named in the status, and goes with its job."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from recon_api.keys import JOB_FILES_KEY
from recon_api.resource import FINALIZER
from recon_api.status import Phase
from recon_api.steps import Step
from tests.support.jobs import Job, lasting, make_job
from tests.support.system import System
from tests.support.waiting import wait_for


def log_of(job: Job, attempt: int = 1) -> Path:
    """Wait until the status names the log of an attempt; return it."""
    found = job.wait_until("names the log", lambda s: any(a.number == attempt and a.log for a in s.attempts))
    (address,) = [each.log for each in found.attempts if each.number == attempt]
    return Path(urlsplit(address).path)


def wait_removed(system: System, log: Path) -> None:
    wait_for("the logs of the job are gone", lambda: not log.parent.exists())
    uid = log.parent.name
    wait_for("Redis knows nothing of them", lambda: not system.client().hexists(JOB_FILES_KEY, uid))


def finished(system: System, name: str, **spec: object) -> tuple[Job, Path]:
    job = system.submit(make_job(name, **spec))
    job.wait_phase(Phase.SUCCEEDED)
    return job, log_of(job)


def test_a_job_that_succeeds_has_one(shared_system: System) -> None:
    job, log = finished(shared_system, "logged", parameters={"seconds": 0.1})
    assert log == shared_system.outputs / ".logs" / (job.object() or {})["metadata"]["uid"] / "attempt-1.log"
    text = log.read_text()
    assert "attempt 1 begins, model synthetic" in text
    assert all(f"step {step} begins" in text for step in Step)
    assert "stage synthetic_points is finished" in text
    assert text.splitlines()[-1].endswith("attempt 1 has completed")


def test_it_can_be_read_while_the_job_runs(shared_system: System) -> None:
    job = shared_system.submit(make_job("followed", parameters=lasting(600)))
    log = log_of(job)
    wait_for("a step is in it", lambda: f"step {Step.LOADING} begins" in log.read_text())
    job.delete()
    job.wait_gone()
    wait_removed(shared_system, log)


def test_each_attempt_of_a_job_that_fails_has_one(shared_system: System) -> None:
    spec = {"parameters": {"fail": "CUDAOutOfMemory"}, "backoffLimit": 1}
    job = shared_system.submit(make_job("fails", **spec))
    job.wait_phase(Phase.FAILED)
    logs = [log_of(job, attempt) for attempt in (1, 2)]
    for number, log in enumerate(logs, start=1):
        assert f"attempt {number} has failed" in log.read_text()
    assert logs[0].parent == logs[1].parent
    job.delete()
    wait_removed(shared_system, logs[0])


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param({}, id="its outputs stay"),
        pytest.param({"output": {"retain": False}}, id="its outputs go too"),
    ],
)
def test_it_goes_when_the_time_to_live_is_over(shared_system: System, spec: dict[str, object]) -> None:
    job = shared_system.submit(make_job(f"lives-{len(spec)}", parameters={"seconds": 0.1}, **spec))
    job.wait_phase(Phase.SUCCEEDED)
    log = log_of(job)
    job.patch(ttlSecondsAfterFinished=0)
    job.wait_gone()
    wait_removed(shared_system, log)
    assert (shared_system.outputs / job.name).exists() == (not spec)


def test_logs_of_jobs_that_go_while_no_operator_runs(breakable_system: System) -> None:
    ended, log = finished(breakable_system, "ended")
    runs = breakable_system.submit(make_job("runs", parameters=lasting(600)))
    other = log_of(runs)
    breakable_system.operator.kill()
    assert FINALIZER in (runs.object() or {})["metadata"]["finalizers"]
    runs.patch_metadata(finalizers=None)
    for job in (ended, runs):
        job.delete()
        job.wait_gone()
    breakable_system.operator.start()
    wait_removed(breakable_system, log)
    wait_removed(breakable_system, other)  # which says that the attempt has been stopped, too
