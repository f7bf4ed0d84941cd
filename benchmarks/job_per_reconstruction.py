"""`python -m benchmarks.job_per_reconstruction`: a warm pool against one Kubernetes Job for each reconstruction.

Both run on the cluster that KUBECONFIG names, from the same image, on the same node and the same one GPU (which may be
only advertised). What is measured: how long after `kubectl apply` the first step of a job begins, and its mesh is there.
Also how long `helm install` takes, and until a job that was applied with it has ended. See benchmarks/README.md.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from kubernetes import client, watch

from benchmarks.machine import describe_run
from recon_api.resource import GROUP, PLURAL, VERSION
from recon_api.status import Phase, ReconstructionJobStatus
from recon_dev.state import CHECKOUT
from tests.support.e2e.cluster import RealCluster, given_cluster
from tests.support.e2e.gpus import a_gpu
from tests.support.e2e.images import worker_image
from tests.support.e2e.installation import STORAGE, Installation
from tests.support.e2e.volumes import storage_class
from tests.support.jobs import make_job
from tests.support.photo_sets import real_photos
from tests.support.waiting import wait_for

RESULTS = CHECKOUT / "benchmarks" / "results"
TIMEOUT_S = 1800.0
SINGLES = 3
"""How often one job alone is measured."""

PHOTOS = "object"


@dataclass(frozen=True)
class Workload:
    """What each job does."""

    name: str
    model: str
    parameters: Mapping[str, Any]
    counts: Sequence[int]
    """How many are applied at once, each of these in turn."""


WORKLOADS = (
    Workload("synthetic, 5 s of work", "synthetic", {"seconds": 5}, (1, 10)),
    Workload("multiview, draft, 16 photos", "multiview", {"quality": "draft"}, (1, 10)),
)


@dataclass
class Times:
    """Seconds since all were applied."""

    first_step: float
    mesh: float


def main() -> int:
    """Measure, print a table, and store the figures with what they depend on."""
    options = _arguments()
    run = describe_run()
    with tempfile.TemporaryDirectory(prefix="recon-bench-") as folder, ExitStack() as stack:
        cluster = given_cluster(Path(folder))
        if cluster is None:
            print("KUBECONFIG names no cluster", file=sys.stderr)
            return 1
        cluster.clean()
        stack.callback(cluster.clean)
        stack.enter_context(a_gpu(cluster))
        made, installing = _install(cluster)
        measured = {workload.name: dict(_measure(made, workload)) for workload in WORKLOADS[: options.workloads]}
    result = {"scenario": "job-per-reconstruction", **run, "install": installing, "workloads": measured}
    print(_table(result))
    path = RESULTS / f"job-per-reconstruction-{run['date'].replace(':', '')[:15]}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nStored in {path.relative_to(CHECKOUT)}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--workloads", type=int, default=len(WORKLOADS), help="only the first so many workloads")
    return parser.parse_args()


def _install(cluster: RealCluster) -> tuple[Installation, dict[str, float]]:
    """Install the chart with one worker that has the GPU, and a job right behind it."""
    namespace = cluster.make_namespace("bench")
    volumes = {"storageClassName": storage_class(cluster)}
    pool = {"name": "default", "gpuClass": "any", "gpus": 1}
    values = {
        "watchNamespaces": [namespace],
        "worker": {"pools": [pool]},
        "storage": {"claim": volumes},
        "redis": {"builtIn": {"persistence": volumes}},
    }
    made = Installation(cluster, namespace, values)
    begun = time.monotonic()
    made.helm("--take-ownership")
    helm_s = time.monotonic() - begun
    job = made.submit(make_job("first"), namespace)
    job.wait_until("is accepted", lambda s: s.phase is not Phase.PENDING, within_s=TIMEOUT_S)
    accepted_s = time.monotonic() - begun
    job.wait_phase(Phase.SUCCEEDED, within_s=TIMEOUT_S)
    done_s = time.monotonic() - begun
    made.install()
    made.kubectl("delete", "rj", "--all")
    made.put_photos(real_photos(), namespace, PHOTOS)
    times = {"helm_returns_s": helm_s, "first_job_accepted_s": accepted_s, "first_job_succeeded_s": done_s}
    return made, {name: round(value, 2) for name, value in times.items()}


def _measure(made: Installation, workload: Workload) -> Iterator[tuple[str, Any]]:
    """Yield for each number of jobs what the pool and Kubernetes Jobs take; first the pool, which then leaves its GPU."""
    for way, ready in ((_by_pool, 1), (_by_jobs, 0)):
        made.kubectl("scale", made.deployment("worker"), f"--replicas={ready}")
        wait_for(
            "the workers are as many as wanted",
            partial(_as_many, made, ready),
            within_s=TIMEOUT_S,
        )
        if ready:
            made.wait_ready("worker")
            way(made, workload, 1)  # warm: its model is loaded, as a pool's is after its first job
        for count in workload.counts:
            repeats = SINGLES if count == 1 else 1
            times = [each for _ in range(repeats) for each in way(made, workload, count)]
            yield f"{way.__name__.removeprefix('_by_')}: {count}", _summary(times)


def _as_many(made: Installation, workers: int) -> bool:
    return len(made.objects("pods", "worker")) == workers


def _by_pool(made: Installation, workload: Workload, count: int) -> list[Times]:
    """Reconstruct by ReconstructionJobs, and delete them; times are those at which a watcher hears of a change."""
    spec = {"model": workload.model, "parameters": workload.parameters, "input": {"path": PHOTOS}}
    manifests = [make_job(f"pool-{number}", **spec) for number in range(count)]
    for manifest in manifests:
        manifest["metadata"]["namespace"] = made.namespace
    with ThreadPoolExecutor(1) as pool:
        heard = pool.submit(_hear, made, count)
        begun = _apply(made, manifests)
        first, last = heard.result()
    made.kubectl("delete", "rj", "--all")
    return [Times(first[name] - begun, last[name] - begun) for name in last]


def _hear(made: Installation, count: int) -> tuple[dict[str, float], dict[str, float]]:
    """Watch until so many jobs have ended; return when each had its first step, and when its mesh. Raises RuntimeError."""
    first, last = dict[str, float](), dict[str, float]()
    jobs = client.CustomObjectsApi(made.cluster.api).list_namespaced_custom_object
    changes = watch.Watch().stream(jobs, GROUP, VERSION, made.namespace, PLURAL, timeout_seconds=int(TIMEOUT_S))
    for change in changes:
        name, now = change["object"]["metadata"]["name"], time.time()
        status = ReconstructionJobStatus.model_validate(change["object"].get("status", {}))
        if status.phase is Phase.RUNNING or status.phase.finished:
            first.setdefault(name, now)
        if status.phase.finished:
            if status.phase is not Phase.SUCCEEDED:
                raise RuntimeError(f"{name} is {status.phase}: {status.message}")
            last.setdefault(name, now)
        if len(last) == count:
            return first, last
    raise RuntimeError(f"{count - len(last)} jobs were not done in {TIMEOUT_S:.0f} s")


def _by_jobs(made: Installation, workload: Workload, count: int) -> list[Times]:
    """Reconstruct by Kubernetes Jobs, each with a Pod of its own, and delete them; times are those of their log lines."""
    begun = _apply(made, [_kubernetes_job(made, workload, number) for number in range(count)])
    made.kubectl(
        "wait",
        "jobs",
        "-l",
        "bench=job",
        "--for=condition=Complete",
        f"--timeout={TIMEOUT_S:.0f}s",
        timeout_s=TIMEOUT_S,
    )
    pods = made.cluster.objects("pods", made.namespace, bench="job")
    logs = [made.kubectl("logs", pod["metadata"]["name"], "--timestamps").splitlines() for pod in pods]
    made.kubectl("delete", "jobs", "-l", "bench=job", "--cascade=foreground")
    steps = [[_time_of(line) - begun for line in log] for log in logs]
    return [Times(min(lines), max(lines)) for lines in steps]


def _time_of(line: str) -> float:
    """Return when a line was written; its time has nanoseconds, which Python does not read."""
    stamp = line.split(maxsplit=1)[0].rstrip("Z")
    seconds, _, fraction = stamp.partition(".")
    return datetime.fromisoformat(f"{seconds}.{fraction[:6]:0<6}+00:00").timestamp()


def _apply(made: Installation, manifests: Sequence[Mapping[str, Any]]) -> float:
    """Apply all at once; return when."""
    begun = time.time()
    made.cluster.run_kubectl.apply(*manifests)
    return begun


def _kubernetes_job(made: Installation, workload: Workload, number: int) -> dict[str, Any]:
    """Return a batch/v1 Job that does the same work with the same image, volume and GPU as the pool's worker."""
    [deployment] = made.objects("deployments", "worker")
    pod = json.loads(json.dumps(deployment["spec"]["template"]["spec"]))
    parameters = [f"--param={key}={json.dumps(value)}" for key, value in workload.parameters.items()]
    photos, out = f"{STORAGE}/inputs/{made.namespace}/{PHOTOS}", f"{STORAGE}/outputs/bench/{time.time_ns()}-{number}"
    [container] = pod["containers"]
    for probe in ("livenessProbe", "startupProbe", "readinessProbe"):
        container.pop(probe, None)
    container |= {
        "image": worker_image(),
        "args": ["reconstruct", photos, out, f"--model={workload.model}", *parameters],
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": f"job-{number}", "namespace": made.namespace, "labels": {"bench": "job"}},
        "spec": {
            "backoffLimit": 0,
            "template": {"metadata": {"labels": {"bench": "job"}}, "spec": pod | {"restartPolicy": "Never"}},
        },
    }


def _summary(times: Sequence[Times]) -> dict[str, float]:
    """Return the middle and the last of both times."""
    figures: dict[str, Callable[[Times], float]] = {"first_step": lambda t: t.first_step, "mesh": lambda t: t.mesh}
    return {
        f"{name}_{which}_s": round(of(map(read, times)), 2)
        for name, read in figures.items()
        for which, of in (("median", statistics.median), ("last", max))
    }


def _table(result: Mapping[str, Any]) -> str:
    lines = [f"{name:<46} {value}" for name, value in result["install"].items()]
    for workload, measured in result["workloads"].items():
        lines += ["", workload, *(f"  {name:<44} {value}" for name, value in measured.items())]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
