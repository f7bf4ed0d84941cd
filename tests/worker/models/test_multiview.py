"""What the model `multiview` takes, and how it prepares its work."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from recon_api import reasons
from recon_api.crd import crd
from recon_api.errors import JobCancelled, UsageError
from recon_api.spec import Quality
from recon_api.steps import Step
from recon_worker.models.multiview import STAGES, MultiView, parse_parameters
from recon_worker.models.synthetic import Synthetic
from recon_worker.progress import Progress, SilentSink
from recon_worker.stages.parallel import for_each
from recon_worker.stages.parameters import PRESETS
from tests.support.parameter_limits import PARAMETER_LIMITS

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        pytest.param({"qualty": "high"}, "parameters.qualty: multiview has no such parameter", id="an unknown key"),
        pytest.param({"quality": "best"}, "parameters.quality: Input should be", id="an unknown quality"),
        pytest.param({"formats": ["stl"]}, "parameters.formats.0: Input should be", id="an unknown format"),
        pytest.param({"targetFaces": -1}, "parameters.targetFaces: Input should be", id="a negative number"),
        pytest.param({"texture": True}, "parameters.texture: must be false or left out: no model", id="a texture"),
    ],
)
def test_parameters_are_refused_by_name(parameters: dict[str, object], said: str):
    with pytest.raises(UsageError) as caught:
        MultiView().check(parameters)
    assert caught.value.reason == reasons.PARAMETERS_REJECTED
    assert said in caught.value.message


def test_no_texture_may_be_asked_for_by_name():
    MultiView().check({"texture": False})


@pytest.mark.parametrize("check", [MultiView().check, Synthetic().check], ids=["multiview", "synthetic"])
@pytest.mark.parametrize("name", PARAMETER_LIMITS)
def test_a_model_and_the_api_server_take_the_same_numbers(check: Callable[[dict[str, object]], None], name: str):
    low, high = PARAMETER_LIMITS[name]
    (version,) = crd()["spec"]["versions"]
    parameters = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["parameters"]
    schema = parameters["properties"][name]
    assert (schema["minimum"], schema["maximum"]) == (low, high)
    check({name: low})
    check({name: high})
    for beyond in (low - 1, high + 1):
        with pytest.raises(UsageError, match=f"{name}: Input should be"):
            check({name: beyond})


@pytest.mark.parametrize(
    ("parameters", "photo_px", "depth_px"),
    [
        pytest.param({"quality": "draft"}, 1200, 480, id="the quality's own size"),
        pytest.param({"quality": "draft", "maxImageSize": 2000}, 2000, 480, id="larger than the quality's own"),
        pytest.param({"quality": "high", "maxImageSize": 2000}, 2000, 1200, id="smaller than the quality's own"),
        pytest.param({"quality": "high", "maxImageSize": 500}, 500, 500, id="smaller than the depth maps"),
    ],
)
def test_photos_are_used_at_the_size_that_a_job_names(parameters: dict[str, object], photo_px: int, depth_px: int):
    parsed = parse_parameters(parameters)
    assert (parsed.photo_px, parsed.depth_px) == (photo_px, depth_px)


def test_stages_read_only_what_exists_before_them():
    for index, stage in enumerate(STAGES):
        assert set(stage.reads) <= {"load_photos", *(earlier.name for earlier in STAGES[:index])}
    assert [stage.step for stage in STAGES] == sorted((stage.step for stage in STAGES), key=list(Step).index)


class CancelledSoon(SilentSink):
    """Asks to stop at the third check."""

    def __init__(self) -> None:
        self.checks = 0

    def raise_if_stopped(self) -> None:
        self.checks += 1
        if self.checks >= 3:
            raise JobCancelled(reasons.CANCELLED, "asked to")


def test_threads_stop_when_the_job_is_cancelled():
    started = threading.Event()

    def work(_number: int, check: Callable[[], None]) -> None:
        started.set()
        while True:
            check()

    progress = Progress.of_step(CancelledSoon(), Step.RECONSTRUCTION)
    with pytest.raises(JobCancelled):
        for_each(range(5), work, CPU, progress)
    assert started.is_set()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def test_an_error_in_a_thread_ends_the_others_and_is_raised():
    def work(number: int, check: Callable[[], None]) -> None:
        if number == 0:
            raise ValueError("broken")
        while True:
            check()

    with pytest.raises(ValueError, match="broken"):
        for_each(range(3), work, CPU, Progress.silent())


@pytest.mark.parametrize("quality", Quality)
def test_the_explanation_names_the_numbers_of_each_quality(quality: Quality):
    page = (Path(__file__).parents[3] / "docs" / "explanation" / "multiview.md").read_text()
    preset = PRESETS[quality]
    triangles = f"{preset.faces:,}".replace(",", " ")
    assert f"| `{quality}` | {preset.photo_px} px | {preset.depth_px} px | {triangles} |" in page
