"""How fast a confirmed cancellation stops a job, at random moments of every step, beside SIGTERM to a plain process.

Real photos are reconstructed by a real worker of the local cluster. See benchmarks/README.md.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.cancelled_jobs import NAMESPACE, Bench, Cancelled
from benchmarks.head_start import HeadStart
from benchmarks.machine import describe_run
from benchmarks.moments import Pace, choose_moments, since
from benchmarks.photo_sets import neighbours, photo_set
from benchmarks.plain_process import PlainRun, Stopped
from recon_api.steps import Step
from recon_dev.cluster import Options
from recon_dev.lifecycle import down, up_in_background
from recon_dev.photos import photos_in, put_photos
from recon_dev.state import CHECKOUT, StateDir

RESULTS = CHECKOUT / "benchmarks" / "results"
FOLDER = "cancelled"
PHOTOS = 10
PHOTO_PX = (3000, 2250)
"""As large as a phone's, so that loading and scaling them is real work; they show what the smaller ones show."""

PARAMETERS = {"quality": "draft", "maxImageSize": 640}

FIGURES = {
    "confirm_to_ordered_s": "confirm to order at the worker",
    "ordered_to_stopped_s": "order at the worker to stopped",
    "confirm_to_stopped_s": "confirm to stopped",
    "confirm_to_cancelled_s": "confirm to Cancelled",
    "stopped_to_next_s": "stopped to next job taken",
}


def main() -> int:
    """Measure, print a table, and store the figures with what they depend on."""
    options = _arguments()
    run = describe_run()
    with tempfile.TemporaryDirectory(prefix="recon-bench-") as folder:
        photos, finished = Path(folder) / "photos", Path(folder) / "finished"
        _make_photos(photos)
        head_start = HeadStart(finished)
        plain = _measure_plain_processes(photos, Path(folder) / "plain", finished, options)
        jobs = _measure_jobs(StateDir(Path(folder) / "cluster"), photos, head_start, options)
    result = {
        "scenario": "cancel",
        **run,
        "photos": len(neighbours(photo_set(), PHOTOS)),
        "photo_px": PHOTO_PX,
        "parameters": PARAMETERS,
        "seed": options.seed,
        **jobs,
        "plain_process": plain,
    }
    print(_table(result))
    path = RESULTS / f"cancel-{run['date'].replace(':', '')[:15]}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nStored in {path.relative_to(CHECKOUT)}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--jobs", type=int, default=200, help="how many jobs are cancelled (default: 200)")
    parser.add_argument("--minutes", type=float, default=60, help="no more jobs after this time (default: 60)")
    parser.add_argument("--plain", type=int, default=20, help="how many plain processes get SIGTERM (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
    return parser.parse_args()


def _make_photos(folder: Path) -> None:
    folder.mkdir()
    for file in neighbours(photo_set(), PHOTOS):
        with Image.open(file) as photo:
            photo.resize(PHOTO_PX).save(folder / file.name, quality=90, exif=photo.getexif())


def _measure_jobs(state: StateDir, photos: Path, head_start: HeadStart, options: argparse.Namespace) -> dict[str, Any]:
    up_in_background(state, Options(parent_pid=os.getpid()))
    try:
        put_photos(photos_in(photos), state.storage / "inputs" / NAMESPACE / FOLDER)
        bench = Bench(state, FOLDER, PARAMETERS, head_start)
        took_s = bench.learn()
        cancelled = bench.cancel(choose_moments(options.jobs, options.seed), options.minutes * 60)
    finally:
        down(state)
    return {
        "undisturbed_s": _rounded(took_s),
        **summary(cancelled),
        "jobs": [{key: _rounded_value(value) for key, value in asdict(one).items()} for one in cancelled],
    }


def _measure_plain_processes(photos: Path, folder: Path, finished: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Measure; the first process runs to its end and leaves its `finished` steps, from which the others begin."""
    pace, whole = Pace(), PlainRun(photos, folder / "out", PARAMETERS, finished)
    pace.note(whole.begins, whole.finish())
    took_s, stopped = pace.took_s, []
    for number, (step, place) in enumerate(choose_moments(options.plain, options.seed)):
        work = folder.with_name(f"plain-{number}")
        HeadStart(finished).give(work, step)
        run = PlainRun(photos, folder / "out", PARAMETERS, work)
        stopped.append(run.stop_at(step, place * pace.took_s[step]))
        pace.note(since(step, run.begins))
    return {
        "start_to_first_step_s": round(min(whole.begins.values()) - whole.started, 3),
        "undisturbed_s": _rounded(took_s),
        **summary_of_plain(stopped),
    }


def summary(jobs: Sequence[Cancelled]) -> dict[str, Any]:
    """Return the distributions over all the jobs that an order stopped, and for each step in which it reached them."""
    in_time = [job for job in jobs if job.in_time]
    return {
        "phases": {phase: sum(job.phase == phase for job in jobs) for phase in sorted({job.phase for job in jobs})},
        "killed": sum(job.killed for job in jobs),
        "left_behind": sum(bool(job.left) for job in jobs),
        "all": _figures(in_time),
        "by_step": {step: _figures(found) for step in Step if (found := [j for j in in_time if j.step is step])},
    }


def summary_of_plain(runs: Sequence[Stopped]) -> dict[str, Any]:
    """Return how long plain processes took to be gone after SIGTERM."""
    in_time = [run for run in runs if not run.finished]
    steps = {step: [run.took_s for run in in_time if run.step is step] for step in Step}
    return {
        "runs": len(runs),
        "finished_first": len(runs) - len(in_time),
        "killed": sum(run.killed for run in runs),
        "left_behind": sum(bool(run.left_files or run.left_processes) for run in runs),
        "sigterm_to_gone_s": distribution([run.took_s for run in in_time]),
        "by_step": {step: distribution(found) for step, found in steps.items() if found},
    }


def _figures(jobs: Sequence[Cancelled]) -> dict[str, Any]:
    stopped = [(job.ordered_s, job.stopped_s) for job in jobs]
    values: dict[str, Iterable[float | None]] = {
        "confirm_to_ordered_s": (job.ordered_s for job in jobs),
        "ordered_to_stopped_s": (b - a if a is not None and b is not None else None for a, b in stopped),
        "confirm_to_stopped_s": (job.stopped_s for job in jobs),
        "confirm_to_cancelled_s": (job.ended_s for job in jobs),
        "stopped_to_next_s": (job.next_s for job in jobs),
    }
    return {"jobs": len(jobs)} | {
        name: distribution([v for v in each if v is not None]) for name, each in values.items()
    }


def distribution(values: Sequence[float]) -> dict[str, float]:
    """Return median, 90th and 99th percentile and maximum; nothing where there is no value."""
    if not values:
        return {}
    cuts = statistics.quantiles(values, n=100, method="inclusive") if len(values) > 1 else [values[0]] * 99
    return {
        "p50": round(cuts[49], 3),
        "p90": round(cuts[89], 3),
        "p99": round(cuts[98], 3),
        "max": round(max(values), 3),
    }


def _rounded(values: Mapping[Step, float]) -> dict[str, float]:
    return {step: round(value, 3) for step, value in values.items()}


def _rounded_value(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def _table(result: Mapping[str, Any]) -> str:
    plain = result["plain_process"]
    rows: list[tuple[str, Any]] = [
        ("jobs that ended as", ", ".join(f"{number} {phase}" for phase, number in result["phases"].items())),
        ("killed after the grace time, files left behind", f"{result['killed']}, {result['left_behind']}"),
        ("seconds", f"{'p50':>8} {'p90':>8} {'p99':>8} {'max':>8}"),
        *((label, _line(result["all"][name])) for name, label in FIGURES.items()),
        *(
            (f"{label}, {step} ({figures['jobs']})", _line(figures[name]))
            for name, label in FIGURES.items()
            if name in ("confirm_to_stopped_s", "confirm_to_cancelled_s")
            for step, figures in result["by_step"].items()
        ),
        ("plain process: SIGTERM to gone", _line(plain["sigterm_to_gone_s"])),
        *((f"plain process, {step}", _line(figures)) for step, figures in plain["by_step"].items()),
        (
            "plain process: killed, left behind, finished first",
            f"{plain['killed']}, {plain['left_behind']}, {plain['finished_first']} of {plain['runs']}",
        ),
        ("plain process: start to first step", f"{plain['start_to_first_step_s']:8.3f}"),
        ("machine", f"{result['cores']} × {result['cpu']}, load {result['load_before'][0]} before"),
    ]
    return "\n".join(f"{label:<62} {value}" for label, value in rows)


def _line(figures: Mapping[str, float]) -> str:
    return " ".join(f"{value:8.3f}" for value in figures.values())


if __name__ == "__main__":
    sys.exit(main())
