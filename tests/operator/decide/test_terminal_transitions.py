"""What a job's end says in its status."""

import pytest

from recon_api.payload import PHOTOS_PLACED, JobWarning
from recon_api.status import (
    ConditionType,
    Metric,
    Output,
)
from recon_operator.decide import decide
from tests.operator.builders import NOW, OWNER, ago, alive, completed, make_observation
from tests.operator.decisions import LIMITS, RUNS, SENT


@pytest.mark.parametrize(
    ("files", "metrics", "message"),
    [
        pytest.param(1, (), "1 file is published", id="one file"),
        pytest.param(6, (), "6 files are published", id="many files"),
        pytest.param(
            6,
            (Metric(name=PHOTOS_PLACED, value="8/17"),),
            "6 files are published; 8/17 photos placed",
            id="a partial mesh",
        ),
    ],
)
def test_a_success_says_what_it_rests_on(files: int, metrics: tuple[Metric, ...], message: str) -> None:
    outputs = tuple(Output(name=f"{number}.glb", uri=f"file:///{number}.glb") for number in range(files))
    result = completed().model_copy(update={"outputs": outputs, "metrics": metrics})
    assert decide(RUNS, alive(result=result), NOW, LIMITS).status.message == message


def test_a_success_tells_who_did_it_and_when() -> None:
    status = decide(SENT, make_observation(claim=OWNER, result=completed()), NOW, LIMITS).status
    assert status.worker is not None
    assert (status.worker.name, status.start_time, status.completion_time) == ("worker-0", ago(20), ago(1))
    assert status.progress is not None
    assert status.progress.percentage == 100
    held = {c.type for c in status.conditions if c.status == "True"}
    assert held == {ConditionType.COMPLETE, ConditionType.FINISHED, ConditionType.READY}


NOT_PLACED = JobWarning(reason="PhotosNotPlaced", message="2 of 20 photos are not in the model: a.jpg, b.jpg")
LEFT_OUT = JobWarning(reason="PhotosLeftOut", message="1 file is not used: clip.mov is a video")


@pytest.mark.parametrize(
    ("warnings", "sentences", "partial"),
    [
        pytest.param((), (), "", id="nothing to warn of"),
        pytest.param((LEFT_OUT,), (LEFT_OUT.message,), "", id="a file that is no photo"),
        pytest.param(
            (LEFT_OUT, NOT_PLACED),
            (LEFT_OUT.message, NOT_PLACED.message),
            NOT_PLACED.message,
            id="photos that are not shown",
        ),
        pytest.param(
            (JobWarning(reason="New", message="x" * 2000),) * 20, ("x" * 1024,) * 10, "", id="more than a status keeps"
        ),
    ],
)
def test_a_success_warns_of_what_is_missing(
    warnings: tuple[JobWarning, ...], sentences: tuple[str, ...], partial: str
) -> None:
    result = completed().model_copy(update={"warnings": warnings})
    decision = decide(RUNS, alive(result=result), NOW, LIMITS)
    assert decision.status.warnings == sentences
    condition = decision.status.condition(ConditionType.PARTIAL_RESULT)
    assert (condition.message if condition else "") == partial
    warned = [event.message for event in decision.events if event.reason.name == "PhotosNotPlaced"]
    assert warned == ([partial] if partial else [])
