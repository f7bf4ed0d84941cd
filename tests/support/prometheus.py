"""A real Prometheus that scrapes what a test runs."""

import json
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.ports import free_port
from tests.support.waiting import wait_for

ALERTS = Path(__file__).parents[2] / "charts/reconstruction-operator/alerts"


def alert_rules() -> list[dict[str, Any]]:
    """Return every alert that the chart brings."""
    return [
        rule
        for file in sorted(ALERTS.glob("*.yaml"))
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
    ]


@dataclass
class Prometheus:
    """A running Prometheus that has our alerts."""

    url: str
    began: float = field(default_factory=time.time)

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of the HTTP API; fail where it is an error."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=30) as response:  # noqa: S310 - as above
            return json.load(response)["data"]

    def values(self, expression: str) -> list[float]:
        """Return every number that the expression has had since the start, over all of its series."""
        found = self.ask("query_range", query=expression, start=str(self.began), end=str(time.time()), step="1")
        values = (float(value) for series in found["result"] for _, value in series["values"])
        return [value for value in values if value == value]  # noqa: PLR0124 - NaN is none

    def values_now(self, expression: str) -> list[float]:
        """Return the numbers that the expression has now, one of each of its series."""
        return [float(series["value"][1]) for series in self.ask("query", query=expression)["result"]]

    def ready(self) -> bool:
        """Say whether it answers."""
        try:
            return bool(urllib.request.urlopen(f"{self.url}/-/ready", timeout=2).status == 200)  # noqa: S310 - as above
        except (urllib.error.URLError, OSError):
            return False


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """Yield a Prometheus that scrapes these addresses, which answer, by the name of their job, each second."""
    folder.mkdir()
    # As in a cluster: each target has a namespace of its own, and the metrics' label of that name means the job's.
    labels = {"namespace": "recon"}
    scrapes = [
        {"job_name": name, "honor_labels": True, "static_configs": [{"targets": [target], "labels": labels}]}
        for name, target in targets.items()
    ]
    configuration = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS / "*.yaml")],
        "scrape_configs": scrapes,
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    port = free_port()
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--log.level=warn",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        running = Prometheus(f"http://127.0.0.1:{port}")
        wait_for(f"Prometheus is ready (see {folder / 'log'})", running.ready)
        # It finds its targets some seconds later: what is counted by then, it never sees rise.
        wait_for("Prometheus scrapes all of them", lambda: len(running.values_now("up == 1")) == len(targets))
        yield running
    finally:
        process.terminate()
        process.wait(30)
