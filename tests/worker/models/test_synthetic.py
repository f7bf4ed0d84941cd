"""The synthetic model through the whole pipeline, without any server, and the command line around it."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from recon_api import reasons
from recon_api.errors import FatalError, JobCancelled, ReconstructionError, TransientError, UsageError
from recon_api.steps import Step
from recon_worker.__main__ import main
from recon_worker.files.atomic_folder import visible_files
from recon_worker.models import torus
from recon_worker.models.installed import Models
from recon_worker.models.synthetic import Synthetic
from recon_worker.pipeline import Reconstruction, reconstruct
from recon_worker.progress import SilentSink
from recon_worker.scene import Scene


class RecordingSink(SilentSink):
    """Remembers the steps; stops the work once it has come to `stop_at`."""

    def __init__(self, stop_at: Step | None = None) -> None:
        self.shown: list[tuple[Step, float]] = []
        self._stop_at = stop_at

    def show(self, step: Step, percentage: float) -> None:
        self.shown.append((step, percentage))

    def raise_if_stopped(self) -> None:
        if self._stop_at is not None and self._stop_at in dict(self.shown):
            raise JobCancelled(reasons.CANCELLED, "stopped by the test")


def run(tmp_path: Path, sink: RecordingSink | None = None, **parameters: Any) -> tuple[list[str], Mapping[str, Any]]:
    """Return the names of the files and the report."""
    asked = Reconstruction(Synthetic(), parameters, load=lambda _: None)
    folder, report = reconstruct(
        asked, Scene(tmp_path / "steps"), sink or RecordingSink(), lambda folder, report: (folder, report)
    )
    return [path.name for path in visible_files(folder)], json.loads(report)


def test_it_goes_through_all_steps_in_order(tmp_path: Path) -> None:
    sink = RecordingSink()
    files, report = run(tmp_path, sink, quality="draft", seed=3)
    assert files == ["mesh.glb", "points.ply", "preview.png", "report.json"]
    assert list(dict.fromkeys(step for step, _ in sink.shown)) == list(Step)
    assert [percentage for _, percentage in sink.shown] == sorted(percentage for _, percentage in sink.shown)
    assert report["stages"][1]["points"] == torus.RINGS * torus.SEGMENTS
    assert report["parameters"] == {"quality": "draft", "seed": 3}
    assert sink.shown[-1] == (Step.FINALIZING, 100)


def test_its_geometry_is_known(tmp_path: Path) -> None:
    run(tmp_path)
    folder = next((tmp_path / "steps").glob("synthetic_files-*"))
    document, data = _parse_glb((folder / "mesh.glb").read_bytes())
    positions = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    view = document["bufferViews"][positions["bufferView"]]
    xyz = np.frombuffer(data, np.float32, view["byteLength"] // 4, view["byteOffset"]).reshape(-1, 3)
    ring = np.hypot(xyz[:, 0], xyz[:, 2]) - torus.MAJOR_RADIUS  # glTF's y is up
    assert np.allclose(np.hypot(ring, xyz[:, 1]), torus.MINOR_RADIUS, atol=1e-5)
    assert Image.open(folder / "preview.png").size == (torus.PREVIEW_PX, torus.PREVIEW_PX)


def _parse_glb(data: bytes) -> tuple[dict[str, Any], bytes]:
    magic, version, size = struct.unpack_from("<4sII", data)
    assert (magic, version, size) == (b"glTF", 2, len(data))
    (length,) = struct.unpack_from("<I", data, 12)
    return json.loads(data[20 : 20 + length]), data[28 + length :]


def test_a_noop_returns_at_once(tmp_path: Path) -> None:
    files, report = run(tmp_path, noop=True)
    assert (files, [stage["name"] for stage in report["stages"]]) == (["report.json"], ["synthetic_nothing"])


@pytest.mark.parametrize(
    ("parameters", "kind", "reason"),
    [
        pytest.param({"fail": "InputRejected"}, UsageError, "InputRejected", id="the user's move"),
        pytest.param({"fail": "CUDAOutOfMemory"}, TransientError, "CUDAOutOfMemory", id="to be tried again"),
        pytest.param({"fail": "WorkerLost"}, TransientError, "WorkerLost", id="the infrastructure's"),
        pytest.param({"fail": "ReconstructionFailed"}, FatalError, "ReconstructionFailed", id="a developer's move"),
        pytest.param({"fail": "Nonsense"}, UsageError, "ParametersRejected", id="an unknown reason"),
        pytest.param({"colour": "red"}, UsageError, "ParametersRejected", id="an unknown parameter"),
        pytest.param({"hang": "forever"}, UsageError, "ParametersRejected", id="an unknown way to hang"),
        pytest.param({"seconds": -1}, UsageError, "ParametersRejected", id="negative time"),
        pytest.param({"crash": "loudly"}, UsageError, "ParametersRejected", id="an unknown crash"),
    ],
)
def test_how_it_fails(tmp_path: Path, parameters: dict[str, Any], kind: type[ReconstructionError], reason: str) -> None:
    with pytest.raises(kind) as caught:
        run(tmp_path, **parameters)
    assert caught.value.reason.name == reason


def test_it_fails_as_often_as_asked_and_goes_on_from_the_finished_steps(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(TransientError):
            run(tmp_path, fail="OutOfMemory", failAttempts=2)
    first = next((tmp_path / "steps").glob("synthetic_photos-*")).stat().st_mtime_ns
    files, _ = run(tmp_path, fail="OutOfMemory", failAttempts=2)
    assert "mesh.glb" in files
    assert next((tmp_path / "steps").glob("synthetic_photos-*")).stat().st_mtime_ns == first


@pytest.mark.parametrize("step", [Step.PREPROCESSING, Step.RECONSTRUCTION, Step.POST_PROCESSING, Step.PREVIEWS])
def test_it_leaves_any_step_and_no_drafts(tmp_path: Path, step: Step) -> None:
    with pytest.raises(JobCancelled):
        run(tmp_path, RecordingSink(step))
    assert not list((tmp_path / "steps").glob(".*"))


def test_the_summary_tells_each_stage_with_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["reconstruct", "photos", str(tmp_path / "out"), "--model", "synthetic"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("synthetic_points"))
    assert line.split()[3:] == ["points", str(torus.RINGS * torus.SEGMENTS)]


def test_an_unknown_model_names_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"no model 'nerf' is installed; this worker has .*synthetic") as caught:
        Models(None, "cpu").model("nerf")
    assert caught.value.reason == reasons.UNKNOWN_MODEL
    with pytest.raises(UsageError):
        Models(None, "cpu", without=frozenset({"synthetic"})).model("synthetic")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(["--model", "synthetic", "--param", "noop=true"], 0, "report.json", id="success"),
        pytest.param(["--model", "synthetic", "--param", "fail=InputRejected"], 2, "InputRejected: as", id="usage"),
        pytest.param(["--model", "synthetic", "--param", "fail=OutOfMemory"], 1, "OutOfMemory: as", id="failure"),
        pytest.param(["--model", "nerf"], 2, "UnknownModel: no model 'nerf'", id="an unknown model"),
        pytest.param(["--model", "synthetic", "--param", "noop"], 2, "takes KEY=VALUE, not 'noop'", id="no value"),
        pytest.param([], 2, "InputNotFound: photos: no such folder", id="no photos"),
    ],
)
def test_the_command_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["reconstruct", "photos", "out", *arguments]) == code
    captured = capsys.readouterr()
    assert words in captured.out + captured.err
    assert "Traceback" not in captured.err
    assert [path.name for path in tmp_path.iterdir()] == (["out"] if code == 0 else [])
