"""A job is cancelled in two steps with kubectl patch, wherever it is."""

from recon_api.status import ConditionType, Phase
from tests.support.e2e.installation import Installation
from tests.support.e2e.tenants import Tenant
from tests.support.jobs import Job, has_condition, lasting

LONG_S = 600


def cancel(job: Job) -> None:
    """Ask, and confirm, as the README says."""
    for step in ("Requested", "Confirmed"):
        patched = job.kubectl("patch", "rj", job.name, "--type=merge", "-p", f'{{"spec":{{"cancellation":"{step}"}}}}')
        assert patched.returncode == 0, patched.stderr


def assert_cancelled(job: Job, *, attempts: int) -> None:
    status = job.wait_phase(Phase.CANCELLED)
    assert has_condition(status, ConditionType.CANCELLED)
    assert status.execution_attempts == attempts
    assert job.kubectl("wait", "--for=condition=Cancelled", f"rj/{job.name}", "--timeout=10s").returncode == 0


def test_a_running_and_a_queued_job_are_cancelled(installation: Installation, tenant: Tenant) -> None:
    running = tenant.submit("running", parameters=lasting(LONG_S))
    running.wait_percentage(15)
    queued = tenant.submit("queued", parameters=lasting(LONG_S))
    queued.wait_phase(Phase.QUEUED)
    cancel(queued)
    assert_cancelled(queued, attempts=queued.status().execution_attempts)
    assert queued.status().start_time is None
    cancel(running)
    assert_cancelled(running, attempts=1)
    assert installation.in_worker("sh", "-c", "ls /app/storage/jobs/work").split() == []
    tenant.submit("next").wait_phase(Phase.SUCCEEDED)


def test_a_job_is_not_cancelled_in_one_step(tenant: Tenant) -> None:
    job = tenant.submit(parameters=lasting(LONG_S))
    refused = job.patch(cancellation="Confirmed")
    assert refused.returncode != 0
    assert "Requested" in refused.stderr
