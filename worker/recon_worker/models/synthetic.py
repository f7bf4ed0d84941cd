"""The model `synthetic`: a small scene of known geometry, and work, failures and crashes on request.

It reads no photos. It goes through every step as the other models do, so it serves to try an installation, to measure
the system around the models, and to test what happens when things fail.
"""

import ctypes
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn

from pydantic import Field, ValidationError

from recon_api import reasons
from recon_api.base import ApiModel
from recon_api.errors import FatalError, ReconstructionError, TransientError, UsageError
from recon_api.reasons import Blame
from recon_api.spec import NoTexture, Parameters
from recon_api.steps import Step
from recon_worker.progress import Progress, ProgressSink
from recon_worker.scene import Scene
from recon_worker.stages.stage import Stage, run_stages

SLICE_S = 0.05
"""Longest time between two checks for an order to stop."""

STEP_SHARES = {Step.PREPROCESSING: 0.1, Step.RECONSTRUCTION: 0.5, Step.POST_PROCESSING: 0.2, Step.PREVIEWS: 0.2}
"""How the asked-for seconds are spread."""

FAILURES = "synthetic-failures"
"""File in the scene's root that counts the failures made so far."""


class SyntheticParameters(Parameters):
    """`spec.parameters` of a job with `model: synthetic`; quality and the like are taken and mean nothing."""

    model_config = ApiModel.model_config

    texture: NoTexture | None = None
    """Not available yet: true is refused."""
    noop: bool = False
    """Return at once, with nothing but the report."""
    seconds: float = Field(default=0.0, ge=0.0, le=86_400.0)
    """Time to spend, spread over the steps."""
    fail: str | None = None
    """A documented reason: fail with it in the step "Running reconstruction"."""
    fail_attempts: int | None = Field(default=None, ge=0)
    """Fail so many times, then succeed; always where absent."""
    hang: bool | Literal["native"] = False
    """Ignore the order to stop, in the step "Running reconstruction", until killed; `native` does so in native code that
    keeps Python's lock: no thread of the process and no handler of a signal runs any more."""
    crash: Literal["segv", "kill"] | None = None
    """Have the process die in the step "Running reconstruction", by SIGSEGV or SIGKILL."""


class Synthetic:
    """Makes a torus, and trouble."""

    name = "synthetic"
    reads_photos = False

    def load(self, weights_dir: Path | None, device: str) -> None:
        """Need nothing."""

    def check(self, parameters: Mapping[str, Any]) -> None:
        """Raise `UsageError(PARAMETERS_REJECTED)` naming the parameters that are not taken."""
        self._parse(parameters)

    def run(self, scene: Scene, parameters: Mapping[str, Any], sink: ProgressSink) -> Path:
        """Go through the steps; return the folder with `mesh.glb`, `points.ply` and `preview.png`, or an empty one."""
        asked = self._parse(parameters)
        stages = NOOP_STAGES if asked.noop else STAGES
        run_stages(stages, scene, asked, sink)
        return scene.folder(stages[-1].name)

    @staticmethod
    def _parse(parameters: Mapping[str, Any]) -> SyntheticParameters:
        try:
            asked = SyntheticParameters.model_validate(parameters)
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise UsageError(
                reasons.PARAMETERS_REJECTED, f"synthetic does not take these parameters: {wrong}"
            ) from error
        if asked.fail is not None and asked.fail not in reasons.ALL_REASONS:
            raise UsageError(reasons.PARAMETERS_REJECTED, f"fail: {asked.fail!r} is no documented reason")
        return asked


def _prepare(_: Scene, __: Path, asked: SyntheticParameters, progress: Progress) -> Mapping[str, Any]:
    _spend(asked, Step.PREPROCESSING, progress)
    return {}


def _reconstruct(scene: Scene, folder: Path, asked: SyntheticParameters, progress: Progress) -> Mapping[str, Any]:
    _make_trouble(asked, scene)
    _spend(asked, Step.RECONSTRUCTION, progress)
    from recon_worker.models import torus

    points = torus.write_points(folder)
    progress.metric("points", str(points))
    return {"points": points}


def _build_mesh(_: Scene, folder: Path, asked: SyntheticParameters, progress: Progress) -> Mapping[str, Any]:
    _spend(asked, Step.POST_PROCESSING, progress)
    from recon_worker.models import torus

    faces = torus.write_mesh(folder)
    progress.metric("faces", str(faces))
    return {"faces": faces}


def _export(scene: Scene, folder: Path, asked: SyntheticParameters, progress: Progress) -> Mapping[str, Any]:
    _spend(asked, Step.PREVIEWS, progress)
    from recon_worker.models import torus

    torus.export(scene.folder("synthetic_points"), scene.folder("synthetic_mesh"), folder)
    return {}


def _nothing(_: Scene, __: Path, ___: SyntheticParameters, ____: Progress) -> Mapping[str, Any]:
    return {}


def _all_of(asked: SyntheticParameters) -> object:
    return asked.model_dump(mode="json")


STAGES: tuple[Stage[SyntheticParameters], ...] = (
    Stage("synthetic_photos", Step.PREPROCESSING, _prepare, parameters_read=_all_of),
    Stage("synthetic_points", Step.RECONSTRUCTION, _reconstruct, reads=("synthetic_photos",)),
    Stage("synthetic_mesh", Step.POST_PROCESSING, _build_mesh, reads=("synthetic_points",)),
    Stage("synthetic_files", Step.PREVIEWS, _export, reads=("synthetic_points", "synthetic_mesh")),
)
NOOP_STAGES: tuple[Stage[SyntheticParameters], ...] = (Stage("synthetic_nothing", Step.PREVIEWS, _nothing),)


def _spend(asked: SyntheticParameters, step: Step, progress: Progress) -> None:
    """Let the step's share of the asked-for time pass, ticking; to pass is what it was asked for."""
    seconds = asked.seconds * STEP_SHARES[step]
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        progress.tick(passed / seconds)
        time.sleep(min(SLICE_S, seconds - passed))


def _make_trouble(asked: SyntheticParameters, scene: Scene) -> None:
    if asked.crash is not None:
        os.kill(os.getpid(), {"segv": signal.SIGSEGV, "kill": signal.SIGKILL}[asked.crash])
    if asked.hang:
        _hang(time.sleep if asked.hang is True else ctypes.PyDLL(None).sleep)
    if asked.fail is not None and _still_fails(asked, scene):
        raise _error(reasons.ALL_REASONS[asked.fail])


def _hang(sleep: Callable[[int], object]) -> NoReturn:
    while True:
        sleep(86_400)


def _still_fails(asked: SyntheticParameters, scene: Scene) -> bool:
    counter = scene.root / FAILURES
    failures = len(counter.read_bytes()) if counter.exists() else 0
    if asked.fail_attempts is not None and failures >= asked.fail_attempts:
        return False
    counter.write_bytes(b"." * (failures + 1))
    return True


def _error(reason: reasons.Reason) -> ReconstructionError:
    """Return an error of the kind that goes with the reason."""
    kinds: dict[Blame, type[ReconstructionError]] = {Blame.USER: UsageError, Blame.INFRASTRUCTURE: TransientError}
    memory = (reasons.CUDA_OUT_OF_MEMORY, reasons.OUT_OF_MEMORY, reasons.STORAGE_FAILED)
    kind = TransientError if reason in memory else kinds.get(reason.blame, FatalError)
    return kind(reason, "as spec.parameters.fail asks")
