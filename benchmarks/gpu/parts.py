"""The parts of a run: what each is, and running one within its time."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.evaluate_sets import reason
from benchmarks.gpu.results import Findings, Outcome, Part

KILL_AFTER_S = 10
"""After the order to stop."""

NO_GPU: Mapping[str, str] = {"CUDA_VISIBLE_DEVICES": ""}
"""Makes torch, and so the worker, compute on the CPU."""


@dataclass(frozen=True)
class Step:
    """A part that is still to be run: a module of this folder with its arguments."""

    name: str
    command: tuple[str, ...]
    limit_s: int
    least_s: int
    """It is left out where less time than this is left for the whole run."""
    after: str | None = None
    """The part without which it cannot run."""
    stores: bool = True
    """Whether it takes `--out FILE`."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Set for it beside what is set here."""


def planned(*, rehearsal: bool) -> list[Step]:
    """Return all parts in the order in which they run."""
    if rehearsal:
        return [
            Step("agreement", ("agreement", "--cpu"), limit_s=150, least_s=10, environment=NO_GPU),
            *_reconstructions("few", "draft", Times(photos_s=60, limit_s=150, least_s=30), ("cpu",)),
        ]
    return [
        Step("agreement", ("agreement",), limit_s=120, least_s=10),
        *_reconstructions("teapot", "standard", Times(photos_s=60, limit_s=120, least_s=40), ("gpu", "cpu")),
        *_reconstructions("many", "standard", Times(photos_s=90, limit_s=180, least_s=90), ("gpu", "cpu")),
    ]


@dataclass(frozen=True)
class Times:
    """How long the parts of one photo set may take."""

    photos_s: int
    """Rendering."""
    limit_s: int
    """Each reconstruction with its evaluation."""
    least_s: int
    """The same, where it is quick: it is not begun with less."""


def _reconstructions(name: str, quality: str, times: Times, devices: tuple[str, ...]) -> list[Step]:
    """Return the parts that render a photo set and reconstruct it on each device."""
    photos = f"{name}, photos"
    return [
        Step(photos, ("photo_sets", name), times.photos_s, least_s=20 + times.least_s, stores=False),
        *(
            Step(
                f"{name}, on the {device}",
                ("timings", name, "--on", device, "--quality", quality),
                limit_s=times.limit_s,
                least_s=times.least_s,
                after=photos,
                environment=NO_GPU if device == "cpu" else {},
            )
            for device in devices
        ),
    ]


def run_step(step: Step, left_s: float, done: Mapping[str, Part]) -> Part:
    """Run a part for at most its own limit and the time that is left; return what it found, however it ended.

    `done` holds the parts that ran before, by name. What it prints appears at once, what it says on stderr at its end. Where this
    process is asked to stop meanwhile, the part is stopped, too, and its outcome is `CUT_OFF`.
    """
    if step.after and done[step.after].outcome is not Outcome.DONE:
        return Part(name=step.name, outcome=Outcome.LEFT_OUT, reason=f"{step.after}: {done[step.after].outcome}")
    if left_s < step.least_s:
        return Part(name=step.name, outcome=Outcome.LEFT_OUT, reason=f"only {left_s:.0f} s were left")
    limit_s = min(step.limit_s, int(left_s))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="recon-gpu-") as folder:
        out, log = Path(folder) / "found.json", Path(folder) / "stderr"
        code = _run(step, limit_s, out, log)
        wall_s, found, said = time.monotonic() - began, Findings.load(out), log.read_text(errors="replace")
    print(said, file=sys.stderr, end="", flush=True)
    outcome, why = _judged(code, wall_s, limit_s, said)
    return Part(
        name=step.name,
        outcome=outcome,
        wall_s=round(wall_s, 1),
        reason=why,
        figures=found.figures,
        timing=found.timing,
    )


def _judged(code: int | None, wall_s: float, limit_s: int, said: str) -> tuple[Outcome, str | None]:
    """Return how a part ended, and why it is not done, by its exit code and by what it said on stderr."""
    if code is None:
        return Outcome.CUT_OFF, "the run was asked to stop"
    if code == 0:
        return Outcome.DONE, None
    if wall_s >= limit_s:
        return Outcome.TIMED_OUT, f"it took more than {limit_s} s"
    return Outcome.FAILED, reason(said) or f"exit code {code}"


def _run(step: Step, limit_s: int, out: Path, log: Path) -> int | None:
    """Return the exit code of a part, or of `timeout`, which stops it with all that it started; None where this process is to stop."""
    module, *arguments = step.command
    command = ["timeout", f"--kill-after={KILL_AFTER_S}", str(limit_s), sys.executable, "-u", "-m"]
    command += [f"benchmarks.gpu.{module}", *arguments, *(["--out", str(out)] if step.stores else [])]
    with log.open("wb") as stderr:
        process = subprocess.Popen(command, env=os.environ | step.environment, stderr=stderr)
    try:
        return process.wait()
    except (KeyboardInterrupt, SystemExit):
        process.terminate()
        process.wait()
        return None
