"""What an administrator does while jobs run: upgrade, stop the operator for a while."""

from recon_api.status import Phase
from tests.e2e.test_losses import assert_complete
from tests.support.e2e.installation import Installation
from tests.support.e2e.tenants import Tenant
from tests.support.jobs import lasting
from tests.support.waiting import wait_for


def test_an_upgrade_loses_no_job_and_runs_none_twice(installation: Installation, tenant: Tenant) -> None:
    running = tenant.submit("running", parameters=lasting(20), backoffLimit=0)
    running.wait_percentage(15)
    queued = tenant.submit("queued", backoffLimit=0)
    before = {part: installation.pod_names(part) for part in ("operator", "worker", "redis")}
    installation.install(values={"operator": {"logLevel": "DEBUG"}, "worker": {"logLevel": "DEBUG"}})
    for part in ("operator", "worker"):
        # helm waits for the new Pods, not for the old ones to be asked to go.
        wait_for(f"the {part} is replaced", lambda part=part: not before[part] & installation.pod_names(part))  # type: ignore[misc]
    assert before["redis"] == installation.pod_names("redis")
    assert assert_complete(running).execution_attempts <= 2
    assert assert_complete(queued).execution_attempts == 1
    installation.install()
    tenant.submit("next").wait_phase(Phase.SUCCEEDED)


def test_a_job_that_comes_while_no_operator_runs_is_done_later(installation: Installation, tenant: Tenant) -> None:
    operator = installation.deployment("operator")
    installation.kubectl("scale", operator, "--replicas=0")
    installation.kubectl(
        "wait", "pods", "-l", "app.kubernetes.io/component=operator", "--for=delete", f"--timeout={60}s"
    )
    job = tenant.submit("unseen", priority=1)
    assert job.patch(priority=2).returncode == 0
    assert job.patch(priority=3).returncode == 0
    assert job.status().phase is Phase.PENDING
    installation.kubectl("scale", operator, "--replicas=2")
    assert assert_complete(job).observed_generation == 3
    installation.wait_ready("operator")
