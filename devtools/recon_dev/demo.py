"""`recon-dev demo`: from photos to a mesh before a person's eyes, on a local cluster."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from recon_api.status import ConditionType, Phase, ReconstructionJobStatus
from recon_dev.cluster import Options
from recon_dev.console import complain, console, say
from recon_dev.follow import follow
from recon_dev.ground_truth.evaluation import evaluate
from recon_dev.ground_truth.photos import DEMO, PHOTOS_FOLDER
from recon_dev.ground_truth.surface_distance import SurfaceProtocol
from recon_dev.kubectl import Kubectl
from recon_dev.lifecycle import Stopped, down, up_in_background
from recon_dev.photos import known_photo_set, photos_in, put_photos
from recon_dev.state import CHECKOUT, StateDir
from recon_dev.status import SupervisorLock

EXAMPLE = CHECKOUT / "examples" / "01-first-job" / "manifest.yaml"
NAME, NAMESPACE = "first-job", "default"
LIMIT_S = 3600.0
MESH, CAMERAS = "mesh.glb", "cameras.json"
"""Published files: the mesh, and where each photo was taken."""
QUICK_PROTOCOL = SurfaceProtocol(samples=100_000)


@dataclass
class Stopwatch:
    """Seconds of each part, for the summary."""

    parts: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Add what the block takes to the part."""
        start = time.monotonic()
        try:
            yield
        finally:
            self.parts[part] = self.parts.get(part, 0.0) + time.monotonic() - start

    def __str__(self) -> str:
        """Say the parts and their sum."""
        parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.parts.items())
        return f"{parts}; {sum(self.parts.values()):.0f} s in all"


def run_demo(state: StateDir, photos: Path | None, *, keep: bool) -> bool:
    """Run the example's job on the given photos, or on ones of known shape; return whether it completed.

    Uses a running cluster; else starts one and stops it again, unless it shall be kept. Raises DevError.
    """
    own = photos_in(photos.expanduser()) if photos else None
    signal.signal(signal.SIGTERM, _stop)
    watch = Stopwatch()
    was_up = SupervisorLock(state).held()
    try:
        with watch.measure("cluster"):
            _ensure_up(state, was_up=was_up)
        with watch.measure("photos"):
            truth = None if own else _known_photos()
            put_photos(own or _photos_of(truth), state.storage / "inputs" / NAMESPACE / NAME)
        with watch.measure("job"):
            status = _run_job(state)
        with watch.measure("comparison"):
            _show_result(status, state, truth)
        return status.phase is Phase.SUCCEEDED
    finally:
        with watch.measure("clean-up"):
            _clean_up(state, was_up=was_up, keep=keep)
        say(f"\n{watch}.")


def _stop(_number: int, _frame: object) -> None:
    raise Stopped


def _ensure_up(state: StateDir, *, was_up: bool) -> None:
    if was_up:
        say("Using the cluster that is up.")
        return
    say("Starting a local cluster:")
    up_in_background(state, Options())


def _known_photos() -> Path:
    text = "Photographing an object of known shape, once for this machine"
    with console.status(text) as live:
        folder = known_photo_set(DEMO, lambda done: live.update(f"{text}: {done:.0%}"))
    say(f"\nPhotos of an object of known shape: {folder / PHOTOS_FOLDER}")
    return folder


def _photos_of(photo_set: Path | None) -> list[Path]:
    return photos_in(photo_set / PHOTOS_FOLDER) if photo_set else []


def _run_job(state: StateDir) -> ReconstructionJobStatus:
    kubectl = Kubectl(state.kubeconfig)
    kubectl("delete", "rj", NAME, "-n", NAMESPACE, "--ignore-not-found", "--timeout=50s")
    say(f"\n$ kubectl apply -f {EXAMPLE.relative_to(CHECKOUT)}")
    kubectl("apply", "-n", NAMESPACE, "-f", str(EXAMPLE))
    try:
        return follow(kubectl, NAME, NAMESPACE, limit_s=LIMIT_S)
    except BaseException:
        kubectl("delete", "rj", NAME, "-n", NAMESPACE, "--ignore-not-found", "--wait=false")
        raise


def _show_result(status: ReconstructionJobStatus, state: StateDir, truth: Path | None) -> None:
    if status.phase is not Phase.SUCCEEDED:
        failed = status.condition(ConditionType.FAILED) or status.condition(ConditionType.CANCELLED)
        why = f"{failed.reason}: {failed.message}" if failed else status.message
        complain(f"the job is {status.phase}\n{why}\nLogs: {state.logs}")
        return
    say("\nPublished:")
    for output in status.outputs:
        say(f"  {local_path(output.uri)}  ({output.bytes / 1e6:.1f} MB)")
    for warning in status.warnings:
        say(f"  note: {warning}")
    if truth:
        _show_accuracy(status, truth)


def _show_accuracy(status: ReconstructionJobStatus, photo_set: Path) -> None:
    """Say how near the mesh is to the known shape."""
    files = [Path(local_path(output.uri)) for output in status.outputs]
    mesh = next((file for file in files if file.name == MESH), None)
    cameras = next((file for file in files if file.name == CAMERAS), None)
    if not mesh or not cameras:
        return
    try:
        surface = evaluate(photo_set, mesh, cameras, QUICK_PROTOCOL).surface
    except ValueError as error:
        complain(f"the mesh can't be compared to the known shape: {error}")
        return
    score = surface.thresholds[-1]
    say(
        f"\nCompared to the known shape: F-score {score.f_score:.1f} % at {score.threshold_percent:g} % of the diagonal, "
        f"median distance {surface.accuracy_median_percent:.2f} % of the diagonal."
    )


def local_path(uri: str) -> str:
    """Return the path that a file:// URI names; anything else as it is."""
    parts = urlsplit(uri)
    return unquote(parts.path) if parts.scheme == "file" else uri


def _clean_up(state: StateDir, *, was_up: bool, keep: bool) -> None:
    if was_up:
        return
    if keep and SupervisorLock(state).held():
        say(f"\nThe cluster stays up; .venv/bin/recon-dev down stops it.\n  export KUBECONFIG={state.kubeconfig}")
        return
    down(state)
