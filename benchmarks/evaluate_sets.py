"""How good reconstructions of several kinds of scene are: `python -m benchmarks.evaluate_sets [--only NAME ...]`.

Photo sets of exactly known shape are rendered where the cache has none (`recon_dev.ground_truth`), each is reconstructed and
compared to the truth by `benchmarks/evaluate.py` in a process of its own, and one table shows them all. A set that fails is a row
with its reason.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from benchmarks.evaluate import Result
from benchmarks.machine import describe_run
from recon_dev.ground_truth.photos import DEMO
from recon_dev.ground_truth.scenes.sets import SCENE_SETS
from recon_dev.photos import known_photo_set, known_scene_set
from recon_dev.state import CHECKOUT

RESULTS = CHECKOUT / "benchmarks" / "results"

KNOWN: Mapping[str, Callable[[], Path]] = {
    "teapot": partial(known_photo_set, DEMO),
    **{name: partial(known_scene_set, spec) for name, spec in SCENE_SETS.items()},
}
"""How to get the folder of each set."""

COLUMNS = (
    "Set",
    "Photos placed",
    "F at 0.25 %",
    "F at 0.5 %",
    "F at 1 %",
    "Precision at 0.5 %",
    "Recall at 0.5 %",
    "Median accuracy",
    "CPU",
    "Peak memory",
)


class Row(BaseModel):
    """One set."""

    name: str
    result: Result | None = None
    failure: str | None = None
    """Why there is no result."""


def main() -> int:
    """Run the command line; return 1 where a set failed."""
    options = _arguments()
    sets: dict[str, Callable[[], Path]] = {**KNOWN, **{folder.name: partial(Path, folder) for folder in options.also}}
    chosen = [*(options.only or KNOWN), *(folder.name for folder in options.also)]
    rows: list[Row] = []
    for name in dict.fromkeys(chosen):
        print(f"{name} ...", file=sys.stderr)
        rows.append(_evaluate(name, sets[name](), options))
    file = _save(rows, options)
    print(markdown(rows))
    print(f"\n{file}", file=sys.stderr)
    return int(any(row.failure for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", metavar="NAME", choices=list(KNOWN), help=f"of {', '.join(KNOWN)}")
    parser.add_argument(
        "--also", nargs="+", type=Path, default=[], metavar="FOLDER", help="photo sets of the same form"
    )
    parser.add_argument("--quality", choices=["draft", "standard", "high"], default="standard")
    parser.add_argument(
        "--out", type=Path, default=RESULTS, help="folder for the figures (default: benchmarks/results)"
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the reconstructions there")
    return parser.parse_args()


def _evaluate(name: str, folder: Path, options: argparse.Namespace) -> Row:
    """Reconstruct and compare one set in a process of its own."""
    with tempfile.TemporaryDirectory() as draft:
        out = options.keep / name if options.keep else Path(draft)
        command = [
            "benchmarks/evaluate.py",
            str(folder.resolve()),
            "--quality",
            options.quality,
            "--out",
            str(out.resolve()),
        ]
        done = subprocess.run([sys.executable, *command], cwd=CHECKOUT, capture_output=True, text=True, check=False)
        if done.returncode:
            return Row(name=name, failure=reason(done.stderr) or f"exit code {done.returncode}")
        return Row(name=name, result=Result.model_validate_json((out / "evaluation.json").read_text()))


def reason(stderr: str) -> str:
    """Return the last line that says why; what `evaluate.py` says last of a failed reconstruction is only its command."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip() and not line.startswith("Command '[")]
    return lines[-1] if lines else ""


def _save(rows: Sequence[Row], options: argparse.Namespace) -> Path:
    """Write the figures with what they depend on."""
    options.out.mkdir(parents=True, exist_ok=True)
    file: Path = options.out / f"sets-{options.quality}-{datetime.now(UTC):%Y-%m-%dT%H%M}.json"
    figures = Figures(run=describe_run(), quality=options.quality, rows=tuple(rows))
    file.write_text(figures.model_dump_json(indent=1))
    return file


class Figures(BaseModel):
    """What one run measured."""

    run: dict[str, Any]
    quality: str
    rows: tuple[Row, ...]


def markdown(rows: Sequence[Row]) -> str:
    """Return a table with a line for each set."""
    cells = [COLUMNS, ("---",) * len(COLUMNS), *map(_cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def _cells(row: Row) -> tuple[str, ...]:
    if not row.result:
        failure = (row.failure or "").replace("|", "\\|")
        return (row.name, f"failed: {failure}", *[""] * (len(COLUMNS) - 2))
    poses, surface, cost = row.result.evaluation.poses, row.result.evaluation.surface, row.result.cost
    at = {score.threshold_percent: score for score in surface.thresholds}
    return (
        row.name,
        f"{poses.placed} of {poses.photos}",
        *(f"{at[threshold].f_score:.1f}" for threshold in (0.25, 0.5, 1.0)),
        f"{at[0.5].precision:.1f}",
        f"{at[0.5].recall:.1f}",
        f"{surface.accuracy_median_percent:.3f} %",
        f"{cost.cpu_s:.0f} s" if cost else "",
        f"{cost.peak_memory_bytes / 2**30:.1f} GiB" if cost else "",
    )


if __name__ == "__main__":
    sys.exit(main())
