"""The reference page of all metrics that operator and worker serve."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector

from recon_api.payload import WorkerDescription
from recon_dev.generate.markdown import code, page, table
from recon_operator.jobs.cache import Jobs
from recon_operator.telemetry.metrics import Metrics
from recon_worker.telemetry.metrics import WorkerMetrics

INTRODUCTION = """\
The operator serves its metrics on `HTTP_PORT` at `/metrics`, a worker its own on `METRICS_PORT`. Both also tell of their
main process (`process_resident_memory_bytes`, `process_cpu_seconds_total` and so on). Each fact has one source: what
becomes of jobs tells the operator, and the GPU time of a namespace too; what happens in an attempt tells the worker.

[Observe an installation](../how-to/observe.md) shows how to collect and read them."""


def render() -> str:
    """Return the page: one table for each process."""
    worker = WorkerMetrics(WorkerDescription(name="", boot_id=""), list, lambda: 0.0, dict)
    return page(
        "Metrics",
        INTRODUCTION,
        _section("The operator", Metrics(Jobs()).registry),
        _section("A worker", worker.registry),
    )


def names() -> set[str]:
    """Return the names of all series that the page describes, with the suffixes of counters and histograms."""
    worker = WorkerMetrics(WorkerDescription(name="", boot_id=""), list, lambda: 0.0, dict)
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
    return {
        name + suffix
        for registry in (Metrics(Jobs()).registry, worker.registry)
        for name, kind, *_ in _metrics(registry)
        for suffix in suffixes[kind]
    }


def _section(title: str, registry: CollectorRegistry) -> str:
    rows = [
        (code(name + ("_total" if kind == "counter" else "")), kind, ", ".join(map(code, labels)), documentation)
        for name, kind, labels, documentation in sorted(_metrics(registry))
    ]
    return f"## {title}\n\n{table(('Metric', 'Type', 'Labels', 'Meaning'), rows)}"


def _metrics(registry: CollectorRegistry) -> Iterator[tuple[str, str, tuple[str, ...], str]]:
    """Yield name, type, labels and meaning of each metric but the process's own."""
    collectors: Any = registry._collector_to_names  # noqa: SLF001 - labels without a value yet are told nowhere else
    for collector in collectors:
        if isinstance(collector, ProcessCollector):
            continue
        for family in collector.collect():
            labels: tuple[str, ...] = getattr(collector, "_labelnames", ()) or getattr(family, "_labelnames", ())
            yield family.name, family.type, tuple(labels), family.documentation
