"""`make bench`: how many jobs a second the operator brings from apply to Succeeded, against the API server's own ceiling.

The jobs do nothing (`model: synthetic, parameters: {noop: true}`), so that what is measured is the handling of a job by
operator, Redis and workers, on a real API server and etcd. See benchmarks/README.md.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.api_server import ApiServer, Request
from benchmarks.ceiling import measure_ceiling
from benchmarks.jobs import Journal, Times, read_starts
from benchmarks.machine import Usage, describe_run, usages
from recon_dev.cluster import Options
from recon_dev.lifecycle import down, up_in_background
from recon_dev.state import CHECKOUT, StateDir
from recon_dev.valkey import STATE_DB, redis_url

RESULTS = CHECKOUT / "benchmarks" / "results"
NAMESPACE = "default"
CLIENTS = 8
"""Requests that the applying client has under way at a time; more gained nothing on two cores."""
TIMEOUT_S = 600
WARM_UP_JOBS = 10
SINGLE_JOBS = 20


def main() -> int:
    """Measure, print a table, and store the figures with what they depend on."""
    options = _arguments()
    run = describe_run()
    with tempfile.TemporaryDirectory(prefix="recon-bench-") as folder:
        state = StateDir(Path(folder))
        with _cluster(state, Options(without=frozenset({"valkey", "operator", "workers"}))):
            ceiling = measure_ceiling(ApiServer(state, CLIENTS), NAMESPACE, options.jobs, CLIENTS)
        with _cluster(state, Options(workers=options.workers)):
            measured = _measure(state, options.jobs)
    result = {"scenario": "throughput", **run, "jobs": options.jobs, "workers": options.workers} | {
        "ceiling": {name: round(value, 1) for name, value in asdict(ceiling).items()},
        **measured,
    }
    print(_table(result))
    path = RESULTS / f"throughput-{run['date'].replace(':', '')[:15]}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nStored in {path.relative_to(CHECKOUT)}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=500, help="how many jobs are applied at once (default: 500)")
    parser.add_argument("--workers", type=int, default=2, help="how many workers (default: 2)")
    return parser.parse_args()


@contextmanager
def _cluster(state: StateDir, options: Options) -> Iterator[None]:
    up_in_background(state, options)
    try:
        yield
    finally:
        down(state)


def _measure(state: StateDir, count: int) -> dict[str, Any]:
    server = ApiServer(state, CLIENTS + 1)
    redis = Redis.from_url(redis_url(state.read_settings(), STATE_DB))
    journal = Journal(server, NAMESPACE)
    journal.run([f"warm-{number:05}" for number in range(WARM_UP_JOBS)], CLIENTS, TIMEOUT_S)
    alone = _one_by_one(journal, redis)
    requests, used = server.writes(), usages(state)
    journal.run([f"job-{number:05}" for number in range(count)], CLIENTS, TIMEOUT_S)
    time.sleep(2.0)  # what is still written after the last job's end belongs to its cost
    read_starts(redis, journal.times.values())
    written = server.writes() - requests
    return {
        **latencies(list(journal.times.values())),
        "alone": alone,
        "writes_per_job": _per_job(written, count),
        "processes": _spent(used, usages(state), count),
    }


def _one_by_one(journal: Journal, redis: Redis) -> dict[str, Any]:
    """Return how long a job takes that finds an idle system, over some that are applied one after the other."""
    jobs: list[Times] = []
    for number in range(SINGLE_JOBS):
        journal.run([f"single-{number:05}"], 1, TIMEOUT_S)
        jobs += journal.times.values()
    read_starts(redis, jobs)
    return {name: value for name, value in latencies(jobs).items() if name.startswith("apply_to")}


def latencies(jobs: Sequence[Times]) -> dict[str, Any]:
    """Return jobs a second from the first apply to the last end, and the distributions of waiting times."""
    ends = [job.finished for job in jobs if job.finished]
    elapsed = max(ends) - min(job.applied for job in jobs)
    return {
        "phases": {phase: sum(job.phase == phase for job in jobs) for phase in sorted({job.phase for job in jobs})},
        "second_attempts": sum(job.attempts > 1 for job in jobs),
        "elapsed_s": round(elapsed, 2),
        "jobs_per_s": round(len(ends) / elapsed, 1),
        "apply_to_start_s": _distribution([job.started - job.applied for job in jobs if job.started]),
        "apply_to_finished_s": _distribution([job.finished - job.applied for job in jobs if job.finished]),
    }


def _distribution(values: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return {"p50": round(cuts[49], 3), "p99": round(cuts[98], 3), "max": round(max(values), 3)}


def _per_job(written: dict[Request, int], count: int) -> dict[str, float]:
    """Return writes a job by verb and resource, the benchmark's own creation of the job among them."""
    return {f"{verb} {resource}": round(number / count, 2) for (verb, resource), number in sorted(written.items())}


def _spent(before: dict[str, Usage], after: dict[str, Usage], count: int) -> dict[str, dict[str, float]]:
    return {
        name: {
            "cpu_s": round(now.cpu_s - before[name].cpu_s, 2),
            "cpu_ms_per_job": round((now.cpu_s - before[name].cpu_s) / count * 1000, 1),
            "rss_mib": round(now.rss_mib, 1),
        }
        for name, now in after.items()
        if name in before
    }


def _table(result: dict[str, Any]) -> str:
    rows = [
        ("jobs, workers", f"{result['jobs']}, {result['workers']}"),
        ("ended as", ", ".join(f"{number} {phase}" for phase, number in result["phases"].items())),
        ("jobs/s", result["jobs_per_s"]),
        *(
            (f"alone: {name.replace('_', ' ')} p50 / p99", f"{values['p50']} / {values['p99']}")
            for name, values in result["alone"].items()
        ),
        *(
            (f"{name.replace('_', ' ')} p50 / p99", f"{result[name]['p50']} / {result[name]['p99']}")
            for name in ("apply_to_start_s", "apply_to_finished_s")
        ),
        *((f"writes a job: {name}", number) for name, number in result["writes_per_job"].items() if number >= 0.01),
        ("API server alone: creates/s", result["ceiling"]["creates_per_s"]),
        ("API server alone: status patches/s", result["ceiling"]["status_patches_per_s"]),
        *(
            (f"{name}: CPU ms a job, RSS MiB", f"{used['cpu_ms_per_job']}, {used['rss_mib']}")
            for name, used in result["processes"].items()
        ),
        ("machine", f"{result['cores']} × {result['cpu']}, load {result['load_before'][0]} before"),
    ]
    return "\n".join(f"{label:<46} {value}" for label, value in rows)


if __name__ == "__main__":
    sys.exit(main())
