"""Two tenants of one installation are apart, and an installation keeps to the namespaces that it was given."""

from recon_api.crd import unseen_status
from recon_api.status import Phase
from tests.support.e2e.cluster import RealCluster
from tests.support.e2e.installation import STORAGE, Installation
from tests.support.e2e.tenants import Tenant
from tests.support.jobs import make_job
from tests.support.photo_sets import rendered_photos


def test_jobs_of_one_name_in_two_namespaces_are_apart(
    installation: Installation, tenants: tuple[Tenant, Tenant]
) -> None:
    red, blue = tenants
    jobs = [each.submit("same") for each in tenants]
    results = [job.wait_phase(Phase.SUCCEEDED) for job in jobs]
    for each, status in zip(tenants, results, strict=True):
        folder = f"outputs/{each.namespace}/same"
        assert set(installation.files(folder)) >= {output.name for output in status.outputs}
        assert all(f"/{folder}/" in output.uri for output in status.outputs)
    jobs[0].delete()
    jobs[0].wait_gone()
    assert blue.submit("same").status().phase is Phase.SUCCEEDED
    red.submit("same").wait_phase(Phase.SUCCEEDED)


def test_a_tenant_reads_no_photos_of_another(installation: Installation, tenants: tuple[Tenant, Tenant]) -> None:
    red, blue = tenants
    installation.put_photos(rendered_photos()[:1], red.namespace, "secret")
    theirs = blue.submit("theirs", model="multiview", input={"path": "secret"}, parameters={})
    assert "InputNotFound" in (theirs.wait_phase(Phase.FAILED).message or "")
    installation.in_worker(
        "sh", "-c", f"mkdir -p {STORAGE}/inputs/{blue.namespace} && cd $_ && ln -sfn ../{red.namespace}/secret link"
    )
    linked = blue.submit("linked", model="multiview", input={"path": "link"}, parameters={})
    assert linked.wait_phase(Phase.FAILED).attempts[0].reason in {"InputNotFound", "InputRejected", "InputUnreadable"}


def test_a_job_of_another_namespace_is_left_alone(
    cluster: RealCluster, installation: Installation, tenant: Tenant
) -> None:
    foreign = cluster.make_namespace("foreign")
    job = installation.submit(make_job("foreign"), foreign)
    tenant.submit("ours").wait_phase(Phase.SUCCEEDED)
    status = (job.object() or {}).get("status", {})
    assert status == unseen_status()
    assert not (job.object() or {})["metadata"].get("finalizers")
    cluster.delete_namespaces(foreign)
