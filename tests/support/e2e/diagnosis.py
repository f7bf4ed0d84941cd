"""What the cluster shows when a test has failed: objects, events and logs of all namespaces of the run."""

from collections.abc import Iterator

from recon_dev.errors import DevError
from tests.support.e2e.cluster import OURS, RealCluster

LINES = 60
"""The end of each container's log."""


def diagnosis(cluster: RealCluster) -> Iterator[tuple[str, str]]:
    """Yield titled texts."""
    yield "nodes", _said(cluster, "describe", "nodes")
    names = _said(cluster, "get", "namespaces", "-l", OURS, "-o", "jsonpath={.items[*].metadata.name}").split()
    for name in names:
        in_it = ("-n", name)
        yield f"{name}: jobs", _said(cluster, *in_it, "describe", "rj")
        yield f"{name}: objects", _said(cluster, *in_it, "get", "all,pvc,lease", "-o", "wide")
        yield f"{name}: events", _said(cluster, *in_it, "get", "events", "--sort-by=.metadata.creationTimestamp")
        yield f"{name}: pods", _said(cluster, *in_it, "describe", "pods")
        for pod in _said(cluster, *in_it, "get", "pods", "-o", "name").split():
            for whose in ((), ("--previous",)):
                log = _said(cluster, *in_it, "logs", pod, "--all-containers", f"--tail={LINES}", *whose)
                yield f"{name}: log of {pod} {' '.join(whose)}", log


def _said(cluster: RealCluster, *arguments: str) -> str:
    try:
        done = cluster.run_kubectl.run(*arguments)
    except DevError as error:
        return str(error)
    return done.stdout + done.stderr
