"""How honest the told times are: time left of running jobs, start of waiting ones, against what came.

Real jobs on the local cluster: some to learn from, others to compare. See benchmarks/README.md.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis

from benchmarks.api_server import JOBS, ApiServer
from benchmarks.calibration import POINTS, Told, Trace, calibration, seconds
from benchmarks.machine import describe_run
from benchmarks.photo_sets import neighbours, photo_set
from recon_api.keys import result_key
from recon_api.payload import AttemptResult
from recon_dev.cluster import Options
from recon_dev.lifecycle import down, up_in_background
from recon_dev.photos import put_photos
from recon_dev.state import CHECKOUT, StateDir
from recon_dev.valkey import STATE_DB, redis_url
from recon_operator.estimates.remaining_time import pace_left_s

RESULTS = CHECKOUT / "benchmarks" / "results"
NAMESPACE = "default"
TIMEOUT_S = 600
WATCH_S = 60

LEARNED = (("multiview", 12), ("multiview", 40), ("multiview", 24), *(("synthetic", s) for s in (4, 16, 8)))
"""Models with photos, or seconds for `synthetic`: the jobs to learn from. The first finds a worker that is cold."""

COMPARED = (
    *(("multiview", photos) for photos in (20, 10, 32, 16, 44, 28)),
    *(("synthetic", seconds_asked) for seconds_asked in (12, 6, 20, 9)),
)
"""The jobs whose told times are compared."""


@dataclass
class Followed:
    """What was seen of one job."""

    name: str
    model: str
    size: int
    """Photos, or the seconds asked of `synthetic`."""
    uid: str = ""
    phase: str = ""
    statuses: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    """Each status with the moment at which the watcher saw it."""


def main() -> int:
    """Measure, print a table, and store the figures with what they depend on."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None).parse_args()
    run = describe_run()
    with tempfile.TemporaryDirectory(prefix="recon-bench-") as folder:
        state = StateDir(Path(folder))
        photos = photo_set()
        up_in_background(state, Options(workers=1, parent_pid=os.getpid()))
        try:
            server, redis = ApiServer(state, 4), Redis.from_url(redis_url(state.read_settings(), STATE_DB))
            _follow(server, _apply(server, state, photos, "learned", LEARNED))
            followed = _apply(server, state, photos, "compared", COMPARED)
            _follow(server, followed)
            traces = [(job, *_traces(job, _result(redis, job))) for job in followed]
        finally:
            down(state)
    result = {"scenario": "time-left", **run, "learned": LEARNED, "compared": COMPARED, **_figures(traces)}
    print(_table(result))
    path = RESULTS / f"time-left-{run['date'].replace(':', '')[:15]}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nStored in {path.relative_to(CHECKOUT)}")
    return 0


def _apply(
    server: ApiServer, state: StateDir, photos: Sequence[Path], prefix: str, jobs: Sequence[tuple[str, int]]
) -> list[Followed]:
    """Apply the jobs at once; one worker takes them one after the other."""
    followed = [Followed(f"{prefix}-{number:02}", model, size) for number, (model, size) in enumerate(jobs)]
    for job in followed:
        spec: dict[str, Any] = {"model": job.model, "parameters": {"quality": "draft"}}
        if job.model == "synthetic":
            spec["parameters"]["seconds"] = job.size
        else:
            spec["input"] = {"path": job.name}
            put_photos(neighbours(photos, job.size), state.storage / "inputs" / NAMESPACE / job.name)
        manifest = {
            "apiVersion": "reconstruction.dev/v1",
            "kind": "ReconstructionJob",
            "metadata": {"name": job.name},
            "spec": spec,
        }
        job.uid = server.send("POST", JOBS.format(namespace=NAMESPACE), manifest)["metadata"]["uid"]
    return followed


def _follow(server: ApiServer, followed: Sequence[Followed]) -> None:
    """Note every status of the jobs until all have ended. Raises TimeoutError."""
    path, by_name = JOBS.format(namespace=NAMESPACE), {job.name: job for job in followed}
    deadline = time.monotonic() + TIMEOUT_S
    since = "0"  # everything, from the beginning
    while time.monotonic() < deadline:
        for event in server.watch(path, since, WATCH_S):
            if event["type"] == "ERROR":
                break
            found, status = event["object"], event["object"].get("status", {})
            since = found["metadata"]["resourceVersion"]
            if job := by_name.get(found["metadata"]["name"]):
                job.statuses.append((time.time(), status))
                job.phase = status.get("phase", "")
            if all(job.phase in ("Succeeded", "Failed", "Cancelled") for job in followed):
                return
    raise TimeoutError(f"not all jobs had finished after {TIMEOUT_S} s")


def _result(redis: Redis, job: Followed) -> AttemptResult:
    """Return how the worker says that the job ended, with its own times: a status knows whole seconds only."""
    text: Any = redis.get(result_key(job.uid, 1))
    if job.phase != "Succeeded" or text is None:
        raise RuntimeError(f"{job.name} is {job.phase}: {job.statuses[-1][1].get('message')}")
    return AttemptResult.model_validate_json(text)


def _traces(job: Followed, result: AttemptResult) -> tuple[Trace, Trace, Trace]:
    """Return what was told of the job's run, what its pace alone would have told, and what was told of its wait."""
    if result.started_at is None or result.finished_at is None:
        raise RuntimeError(f"{job.name} has no times")
    begin, end = result.started_at.timestamp(), result.finished_at.timestamp()
    told, by_pace, starts = [], [], []
    for at, status in job.statuses:
        progress, queue = status.get("progress"), status.get("queue")
        if queue and at < begin:
            start = queue.get("estimatedStartTime")
            starts.append(Told(at, seconds(start) if start else None))
        if progress and at < end:
            written, left_s = seconds(progress["lastUpdatedTime"]), progress.get("estimatedRemainingSeconds")
            told.append(Told(at, None if left_s is None else written + left_s))
            pace_s = pace_left_s(at - begin, progress.get("percentage", 0))
            by_pace.append(Told(at, None if pace_s is None else at + pace_s))
    return (
        Trace(job.name, begin, end, tuple(told)),
        Trace(job.name, begin, end, tuple(by_pace)),
        Trace(job.name, job.statuses[0][0], begin, tuple(starts)),
    )


def _figures(traces: Sequence[tuple[Followed, Trace, Trace, Trace]]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for model in sorted({job.model for job, *_ in traces}):
        own = [found for found in traces if found[0].model == model]
        figures[model] = {
            "learned": calibration([told for _, told, _, _ in own]),
            "by_pace": calibration([pace for _, _, pace, _ in own]),
        }
    # Two jobs are with the worker from the beginning; the wait of the others is in the operator's hands.
    figures["start"] = calibration([start for *_, start in traces if start.told])
    figures["traces"] = [
        {"model": job.model, "size": job.size, "run": asdict(told), "by_pace": asdict(pace), "wait": asdict(start)}
        for job, told, pace, start in traces
    ]
    return figures


def _table(result: Mapping[str, Any]) -> str:
    kinds = [
        (f"{model}, {kind}", result[model][kind])
        for model in ("multiview", "synthetic")
        for kind in ("learned", "by_pace")
    ]
    head = f"{'':<26}" + "".join(f"{f'at {share:.0%}':>16}" for share in POINTS) + f"{'said':>8}{'jump':>8}"
    rows = [_row(label, figures) for label, figures in [*kinds, ("start of waiting jobs", result["start"])]]
    return "\n".join(
        [
            head,
            *rows,
            _row("the same in seconds", result["start"], "_s", 1.0),
            "",
            "Median and 90th percentile of |told - left| / left, in percent.",
            f"{result['cores']} x {result['cpu']}, load {result['load_before'][0]} before",
        ]
    )


def _row(label: str, figures: Mapping[str, Any], unit: str = "", scale: float = 100.0) -> str:
    cells = []
    for share in POINTS:
        p50, p90 = (figures["at"][f"{share:.0%}"][name + unit] for name in ("p50", "p90"))
        cells.append("-" if p50 is None else f"{scale * p50:.0f} / {scale * p90:.0f}")
    said, jump = figures["all"]["said"], figures["largest_jump"]["max"]
    return f"{label:<26}" + "".join(f"{cell:>16}" for cell in cells) + f"{said:>8.0%}{jump:>8.0%}"


if __name__ == "__main__":
    sys.exit(main())
