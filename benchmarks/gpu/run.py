"""Check and time the worker's GPU code within eight minutes: `benchmarks/gpu/run.sh [FOLDER] [--cpu]`.

First whether the GPU computes what the CPU does, then what reconstructions take on both and how good they are. Each part runs in
processes of its own within its own time; what it found is stored in one JSON file before the next one begins. See
benchmarks/README.md.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import torch

from benchmarks.gpu.gpu_use import describe_gpu
from benchmarks.gpu.parts import NO_GPU, planned, run_step
from benchmarks.gpu.results import Outcome, Part, Results
from benchmarks.gpu.stopping import exit_on_sigterm
from benchmarks.gpu.table import side_by_side
from benchmarks.machine import describe_run
from recon_dev.state import CHECKOUT
from recon_worker.models.installed import installed_models

RESULTS = CHECKOUT / "benchmarks" / "results"

BUDGET_S = 440
"""For all parts: the rest of eight minutes is for starting, and for stopping the last one."""

MODEL = "multiview"

EXIT_UNUSABLE = 2


def main() -> int:
    """Run all parts; return 1 where one failed, took too long or was cut off, 2 where the machine cannot run them."""
    began, options = time.monotonic(), _arguments()
    exit_on_sigterm()
    missing = unusable(rehearsal=options.cpu)
    if missing:
        print(missing, file=sys.stderr)
        return EXIT_UNUSABLE
    if options.cpu:
        os.environ.update(NO_GPU)
    results = _begin(options)
    file = results.save(options.folder)
    done: dict[str, Part] = {}
    for step in planned(rehearsal=options.cpu):
        print(f"\n== {step.name}", flush=True)
        part = run_step(step, BUDGET_S - (time.monotonic() - began), done)
        done[part.name] = part
        print(f"== {part.name}: {part.outcome} after {part.wall_s:.1f} s {part.reason or ''}", flush=True)
        results = results.model_copy(update={"parts": (*results.parts, part)})
        results.save(options.folder)
        if part.outcome is Outcome.CUT_OFF:
            break
    timings = {name: part.timing for name, part in done.items() if part.timing}
    print("\n".join(("", *side_by_side(timings), "", f"Stored in {file}")))
    return int(any(part.outcome not in {Outcome.DONE, Outcome.LEFT_OUT} for part in done.values()))


def unusable(*, rehearsal: bool) -> str | None:
    """Return why this machine cannot run the parts; None where it can."""
    if not rehearsal and not torch.cuda.is_available():
        return (
            f"torch {torch.__version__} sees no GPU (built for CUDA {torch.version.cuda}, CUDA_VISIBLE_DEVICES "
            f"{os.environ.get('CUDA_VISIBLE_DEVICES', 'not set')}); `--cpu` rehearses without one"
        )
    if MODEL not in installed_models():
        return f"the model {MODEL} is not installed: the metadata of reconstruction-operator must be on PYTHONPATH"
    return None


def _begin(options: argparse.Namespace) -> Results:
    run = describe_run()
    return Results(
        run={**run, "commit": options.commit or run["commit"]},
        gpu=None if options.cpu else describe_gpu(),
        cuda=torch.version.cuda,
        rehearsal=options.cpu,
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=RESULTS, help="for the figures (default: %(default)s)")
    parser.add_argument("--cpu", action="store_true", help="rehearse without a GPU, on few small photos")
    parser.add_argument("--commit", help="of the code, where the checkout is no repository")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
