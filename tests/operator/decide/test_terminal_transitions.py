"""What a job's end says in its status."""

import pytest

from recon_api.payload import PHOTOS_PLACED
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
