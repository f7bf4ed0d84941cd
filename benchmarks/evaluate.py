"""How good a reconstruction is, and what it costs: `python benchmarks/evaluate.py PHOTO_SET`.

PHOTO_SET is a folder with `images/`, `cams.json` and `gt.ply`, such as `recon_dev.ground_truth.photos` writes. Its photos are
reconstructed by `python -m recon_worker reconstruct` in a process of its own, whose wall and CPU time are measured, or an
existing result is taken (`--mesh`, `--cameras`). What the figures mean is said in `recon_dev.ground_truth.surface_distance` and
`recon_dev.ground_truth.pose_error`; a `protocol.json` in the folder says what of the surface counts where the standard protocol
does not fit.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from recon_dev.ground_truth.evaluation import Evaluation, evaluate
from recon_dev.ground_truth.photos import PHOTOS_FOLDER
from recon_dev.ground_truth.scenes.protocol import load_protocol


class Cost(BaseModel):
    """What the reconstruction took, as a process with all its children."""

    wall_s: float
    cpu_s: float
    """User and system time."""
    peak_memory_bytes: int
    """Of the largest single process."""


class Result(BaseModel):
    """One line of a comparison."""

    photo_set: str
    quality: str | None
    cost: Cost | None
    evaluation: Evaluation


def main() -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args()
    try:
        with _output_folder(options.out) as out:
            result = _measure(options, out)
            if options.out:
                (out / "evaluation.json").write_text(result.model_dump_json(indent=1))
    except (ValueError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    Console().print(_table(result))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo_set", type=Path)
    parser.add_argument("--quality", choices=["draft", "standard", "high"], default="standard")
    parser.add_argument("--out", type=Path, help="keep the result (result/) and the figures (evaluation.json) here")
    parser.add_argument("--mesh", type=Path, help="take this mesh; needs --cameras")
    parser.add_argument("--cameras", type=Path, help="cameras.json that belongs to --mesh")
    return parser


def _measure(options: argparse.Namespace, out: Path) -> Result:
    if bool(options.mesh) != bool(options.cameras):
        raise ValueError("--mesh and --cameras belong together: the cameras say where the mesh lies")
    name, protocol = options.photo_set.name, load_protocol(options.photo_set)
    if options.mesh:
        scores = evaluate(options.photo_set, options.mesh, options.cameras, protocol)
        return Result(photo_set=name, quality=None, cost=None, evaluation=scores)
    cost = reconstruct(options.photo_set / PHOTOS_FOLDER, out / "result", options.quality)
    scores = evaluate(options.photo_set, out / "result" / "mesh.glb", out / "result" / "cameras.json", protocol)
    return Result(photo_set=name, quality=options.quality, cost=cost, evaluation=scores)


def reconstruct(photos: Path, out: Path, quality: str) -> Cost:
    """Reconstruct a folder of photos into the folder `out`, in a process of its own; raises CalledProcessError where it fails."""
    command = [sys.executable, "-m", "recon_worker", "reconstruct", str(photos), str(out), "--quality", quality]
    start = time.monotonic()
    process = os.posix_spawn(sys.executable, command, os.environ)
    _, status, usage = os.wait4(process, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        raise subprocess.CalledProcessError(code, command)
    return Cost(
        wall_s=round(time.monotonic() - start, 2),
        cpu_s=round(usage.ru_utime + usage.ru_stime, 2),
        peak_memory_bytes=usage.ru_maxrss * 1024,
    )


@contextmanager
def _output_folder(wanted: Path | None) -> Iterator[Path]:
    if wanted:
        wanted.mkdir(parents=True, exist_ok=True)
        yield wanted
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _table(result: Result) -> Table:
    poses, surface = result.evaluation.poses, result.evaluation.surface
    table = Table("figure", "value", title=f"{result.photo_set} {result.quality or ''}")
    rows = [
        ("photos placed", f"{poses.placed} of {poses.photos}"),
        ("camera centres, RMSE of rig extent", f"{poses.centre_rmse_percent:.3f} %"),
        ("camera rotations, mean", f"{poses.rotation_mean_deg:.3f} deg"),
        ("relative poses, AUC to 3 deg", f"{poses.auc_3deg:.1f}"),
        ("accuracy, median of diagonal", f"{surface.accuracy_median_percent:.3f} %"),
        ("chamfer distance of diagonal", f"{surface.chamfer_percent:.3f} %"),
    ]
    for score in surface.thresholds:
        shares = f"{score.f_score:.1f}  (precision {score.precision:.1f}, recall {score.recall:.1f})"
        rows.append((f"F-score at {score.threshold_percent:g} %", shares))
    if result.cost:
        rows.append(("wall and CPU time", f"{result.cost.wall_s:.1f} s, {result.cost.cpu_s:.1f} CPU-s"))
        rows.append(("peak memory", f"{result.cost.peak_memory_bytes / 2**30:.1f} GiB"))
    for row in rows:
        table.add_row(*row)
    return table


if __name__ == "__main__":
    sys.exit(main())
