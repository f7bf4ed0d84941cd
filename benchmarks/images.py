"""How large the images are, and how long building one takes: from nothing, again, and after a change of the code.

A copy of the checkout is built, so that the change is not made in the checkout itself. See benchmarks/README.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_run
from recon_dev.images.contents import contents_of
from recon_dev.state import CHECKOUT

RESULTS = CHECKOUT / "benchmarks" / "results"
CHANGED = {"operator": "operator/recon_operator/clock.py", "worker": "worker/recon_worker/publishing/seal.py"}
"""A file of each side, which gets one more line."""


def main() -> int:
    """Build, measure, print and store."""
    options = _arguments()
    run = describe_run()
    with tempfile.TemporaryDirectory(prefix="recon-images-") as folder:
        checkout = _copy(Path(folder))
        measured = {side: _measure(side, checkout, options) for side in options.sides}
    result = {"scenario": "images", **run, "builder": options.called or options.builder, "images": measured}
    print(json.dumps(measured, indent=1))
    path = RESULTS / f"images-{'-'.join(options.sides)}-{run['date'].replace(':', '')[:15]}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nStored in {path.relative_to(CHECKOUT)}")
    return 0


def _measure(side: str, checkout: Path, options: argparse.Namespace) -> dict[str, Any]:
    image = f"{options.prefix}reconstruction-{side}:{options.tag}"
    base = ["--build-arg", f"BASE_IMAGE={options.base}"] if options.base else []
    command = [*options.builder.split(), "-t", image, "--target", side, *base, str(checkout)]
    cold = [*options.builder.split(), "--no-cache", *command[len(options.builder.split()) :]]
    times = {"from_nothing_s": _seconds(cold), "again_s": _second_of_two(command)}
    with (checkout / CHANGED[side]).open("a") as file:
        file.write(f"\n# changed at {time.time()}\n")
    times["after_a_change_s"] = _seconds(command)
    inside = contents_of(image, options.runner)
    return {
        **times,
        "over_base_mb": round(inside.added_bytes / 1e6),
        "python_packages": len(inside.python),
        "base": f"{inside.operating_system['PRETTY_NAME']}, Python {inside.python_version}",
    }


def _seconds(command: Sequence[str]) -> float:
    began = time.monotonic()
    subprocess.run(command, check=True, stdout=sys.stderr)
    return round(time.monotonic() - began, 1)


def _second_of_two(command: Sequence[str]) -> float:
    """Return how long the second build takes: a builder told to use no cache may not have filled it either."""
    _seconds(command)
    return _seconds(command)


def _copy(folder: Path) -> Path:
    """Copy what git knows, as it is now."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(CHECKOUT / name, folder / name)
    return folder


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the images and their building.")
    parser.add_argument("sides", nargs="*", default=["operator", "worker"], metavar="operator|worker")
    parser.add_argument("--builder", default=os.environ.get("IMAGE_BUILDER") or "docker build")
    parser.add_argument("--called", help="what the builder is called in the results (default: its command)")
    parser.add_argument("--runner", default=os.environ.get("IMAGE_RUNNER"), help="docker, podman, buildah or kubectl")
    parser.add_argument(
        "--base", default=os.environ.get("BASE_IMAGE"), help="base image, the Dockerfile's own by default"
    )
    parser.add_argument("--prefix", default="localhost/", help="before the images' names (default: %(default)s)")
    parser.add_argument("--tag", default="bench", help="default: %(default)s")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
