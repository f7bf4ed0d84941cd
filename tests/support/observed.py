"""A system that is watched while jobs of every kind go through it: by its logs and by its metrics."""

import json
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from recon_api.status import Phase
from tests.support.control_plane import ControlPlane
from tests.support.jobs import Job, lasting, make_job
from tests.support.otlp import Receiver, receiving
from tests.support.ports import free_port
from tests.support.programs import PROMETHEUS
from tests.support.prometheus import Prometheus, prometheus
from tests.support.system import System
from tests.support.waiting import wait_for

Line = dict[str, Any]


@dataclass
class Observed:
    """What ran, and where it can be seen."""

    system: System
    worker_port: int
    traces: Receiver
    prometheus: Prometheus | None = None
    """Where one is installed."""
    jobs: dict[str, Job] = field(default_factory=dict)

    def uid(self, job: str) -> str:
        """UID of a job."""
        found = self.jobs[job].object()
        assert found
        return str(found["metadata"]["uid"])

    def lines(self) -> list[Line]:
        """Every log line of operator and worker, in order of their times; fails where one is no JSON."""
        texts = [line for log in self.logs for line in log.read_text().splitlines(keepends=True)]
        whole = [text for text in texts if text.endswith("\n")]  # the latest may be on its way
        return sorted((json.loads(text) for text in whole), key=lambda line: str(line["time"]))

    @property
    def logs(self) -> list[Path]:
        """The files of the logs."""
        return [self.system.operator.log, self.system.worker.log]

    @property
    def operator_url(self) -> str:
        """Address of the operator's HTTP server."""
        return f"http://127.0.0.1:{self.system.settings.operator_port}"

    @property
    def worker_url(self) -> str:
        """The same of the worker."""
        return f"http://127.0.0.1:{self.worker_port}"


def scrape(url: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the samples of /metrics by name and labels."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as response:  # noqa: S310 - of this test's processes
        text = response.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def total(samples: Mapping[tuple[str, frozenset[tuple[str, str]]], float], name: str, **labels: str) -> float:
    """Return the sum of the samples of this name with these labels."""
    return sum(value for (found, given), value in samples.items() if found == name and labels.items() <= set(given))


@contextmanager
def observed_system(control_plane: ControlPlane, folder: Path) -> Iterator[Observed]:
    """Yield a running system that logs JSON, serves metrics and tells traces; nothing of it runs afterwards.

    A first job, `untraced`, has run while nobody received traces.
    """
    port, traces = free_port(), free_port()
    env = {
        "LOG_FORMAT": "json",
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{traces}",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "1",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
    }
    system = System(control_plane, folder, env, env | {"METRICS_PORT": str(port), "METRICS_HOST": "127.0.0.1"})
    try:
        system.start()
        targets = {"operator": f"127.0.0.1:{system.settings.operator_port}", "worker": f"127.0.0.1:{port}"}
        with prometheus(folder / "prometheus", targets) if PROMETHEUS.installed else nullcontext() as watching:
            untraced = system.submit(make_job("untraced"))
            untraced.wait_phase(Phase.SUCCEEDED)
            with receiving(traces) as receiver:
                yield Observed(system, port, receiver, watching, {"untraced": untraced})
    finally:
        system.stop()


def go_through_everything(observed: Observed) -> None:
    """Let jobs succeed, fail, be tried again, crash and be cancelled; leave one running and some queued behind it."""
    submit, jobs = observed.system.submit, observed.jobs
    jobs["good"] = submit(make_job("good", parameters=lasting(2)))
    jobs["wrong"] = submit(make_job("wrong", parameters={"fail": "InputRejected"}))
    again = {"fail": "ReconstructionFailed", "failAttempts": 1}
    backoff = {"backoff": {"duration": "1s"}}
    jobs["again"] = submit(make_job("again", parameters=again, retryStrategy=backoff))
    for name, phase in {"good": Phase.SUCCEEDED, "wrong": Phase.FAILED, "again": Phase.SUCCEEDED}.items():
        jobs[name].wait_phase(phase)
    # A process that is killed takes spans with it that it has not yet sent.
    told = {("good", "run attempt 1"), ("wrong", "run attempt 1"), ("again", "run attempt 2")}
    wait_for("the worker has told its spans", lambda: told <= observed.traces.named())
    jobs["crash"] = submit(make_job("crash", parameters={"crash": "kill"}, backoffLimit=0))
    jobs["crash"].wait_phase(Phase.FAILED)
    jobs["cancelled"] = submit(make_job("cancelled", parameters=lasting(600)))
    jobs["cancelled"].wait_phase(Phase.RUNNING)
    for step in ("Requested", "Confirmed"):
        jobs["cancelled"].patch(cancellation=step)
    jobs["cancelled"].wait_phase(Phase.CANCELLED)
    jobs["running"] = submit(make_job("running", parameters=lasting(600)))
    jobs["running"].wait_percentage(1)
    for number in range(3):
        jobs[f"queued-{number}"] = submit(make_job(f"queued-{number}"))
    jobs["queued-2"].wait_phase(Phase.QUEUED)
