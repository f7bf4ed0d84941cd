"""How this process takes part in the election of a leader, by its settings."""

import uuid

from recon_operator.clients.fence import Fence
from recon_operator.clients.kubernetes_api import KubernetesApi, own_namespace
from recon_operator.leader.election import LeaderElection, LeaseElection, LeaseTimes, SoleLeader
from recon_operator.settings import OperatorSettings


def fence_of(settings: OperatorSettings) -> Fence:
    """Return a fence that is closed until this process leads, or always open where it is the only one."""
    return Fence() if settings.leader_election else Fence.always_open()


def election_of(
    settings: OperatorSettings, api: KubernetesApi, fence: Fence, *, rob_for_s: int | None = None
) -> LeaderElection:
    """Return a candidate under a name that no other process has: a container that starts again in its Pod is another.

    `rob_for_s` makes it one that takes the lease from others, who stay away for so long after its last renewal.
    """
    if not settings.leader_election:
        return SoleLeader()
    times = settings.lease_times()
    if rob_for_s is not None:
        times = LeaseTimes(rob_for_s, times.renew_deadline_s, times.retry_period_s)
    return LeaseElection(
        api,
        fence,
        namespace=settings.lease_namespace or own_namespace(),
        name=settings.lease_name,
        identity=f"{settings.pod_name}_{uuid.uuid4().hex[:8]}",
        times=times,
        by_force=rob_for_s is not None,
    )
