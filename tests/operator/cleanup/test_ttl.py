"""When a finished job is to be removed, and what goes with it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from recon_api.resource import MANAGED_BY_US, ReconstructionJob
from recon_api.status import FINAL_PHASES, LAST_YEAR, Phase, ReconstructionJobStatus
from recon_operator.cleanup.ttl import due_at, takes_outputs_along
from recon_operator.settings import OperatorSettings
from tests.operator.builders import LABELLED, condition, finished, make_job, running

ENDED = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def ended_as(phase: Phase, **fields: Any) -> ReconstructionJobStatus:
    kind = next(kind for kind, final in FINAL_PHASES.items() if final is phase)
    end = (condition(kind, "True", "Completed", since=ENDED),)
    return finished(phase, **{"completion_time": ENDED, "conditions": end, **fields})


def ended_job(phase: Phase = Phase.SUCCEEDED, **fields: Any) -> ReconstructionJob:
    return make_job(**{"status": ended_as(phase), "labels": LABELLED, **fields})


@pytest.mark.parametrize(
    ("spec", "default_s", "stays_s"),
    [
        pytest.param({"ttlSecondsAfterFinished": 60}, None, 60, id="the job's own time counts from its end"),
        pytest.param({"ttlSecondsAfterFinished": 0}, None, 0, id="no time at all: at once"),
        pytest.param({}, 600, 600, id="without a time of its own the installation's counts"),
        pytest.param({"ttlSecondsAfterFinished": None}, 600, 600, id="null is no time of its own"),
        pytest.param({"ttlSecondsAfterFinished": 60}, 600, 60, id="a shorter time than the installation's counts"),
        pytest.param({"ttlSecondsAfterFinished": 6000}, 600, 6000, id="a longer one too"),
        pytest.param({"ttlSecondsAfterFinished": 0}, 600, 0, id="zero is a time, not nothing"),
        pytest.param({}, 0, 0, id="the installation may remove jobs at once"),
        pytest.param({"managedBy": MANAGED_BY_US}, 600, 600, id="a job that names this operator is ours"),
        pytest.param({"ttlSecondsAfterFinished": 2**31 - 1}, None, 2**31 - 1, id="the longest time"),
    ],
)
def test_a_finished_job_is_due(spec: dict[str, Any], default_s: int | None, stays_s: int) -> None:
    assert due_at(ended_job(**spec), default_s) == ENDED.timestamp() + stays_s


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase.finished])
def test_it_does_not_matter_how_a_job_ended(phase: Phase) -> None:
    assert due_at(ended_job(phase), 60) == ENDED.timestamp() + 60


@pytest.mark.parametrize(
    ("job", "default_s"),
    [
        pytest.param(ended_job(), None, id="that has no time, nor has the installation"),
        pytest.param(ended_job(managedBy="example.com/other"), 0, id="of another controller"),
        pytest.param(ended_job(labels={}), 0, id="whose end is not noted in full: it has no label yet"),
        pytest.param(ended_job(finalizer=True), 0, id="that somebody else has labelled: an attempt may run"),
        pytest.param(make_job(status=running(), labels=LABELLED), 0, id="that runs, whatever its label says"),
        pytest.param(ended_job(status=ended_as(Phase.FAILED, completion_time=None)), 0, id="of which no end is known"),
        pytest.param(ended_job(status=ended_as(Phase.FAILED, conditions=())), 0, id="whose end is no condition"),
        pytest.param(ended_job(deleted_s_ago=1), 0, id="that is being deleted already"),
    ],
)
def test_a_job_stays(job: ReconstructionJob, default_s: int | None) -> None:
    assert due_at(job, default_s) is None


def test_an_end_far_ahead_is_no_fault() -> None:
    ended = ended_as(Phase.SUCCEEDED, completion_time=datetime(LAST_YEAR, 12, 31, tzinfo=UTC))
    due = due_at(ended_job(status=ended, ttlSecondsAfterFinished=2**31 - 1), None)
    assert due is not None
    assert due > ENDED.timestamp()


@pytest.mark.parametrize(
    ("job", "along"),
    [
        pytest.param(ended_job(), False, id="outputs stay unless the job says otherwise"),
        pytest.param(ended_job(output={"retain": True}), False, id="outputs stay where it says so"),
        pytest.param(ended_job(output={"retain": False}), True, id="outputs go where it says so"),
        pytest.param(
            ended_job(output={"retain": False}, status=ended_as(Phase.CANCELLED, execution_attempts=0, attempts=())),
            False,
            id="a job that was never sent has none",
        ),
    ],
)
def test_outputs_go_with_the_job(job: ReconstructionJob, along: bool) -> None:
    assert takes_outputs_along(job) is along


@pytest.mark.parametrize(("value", "default_s"), [("", None), ("0", 0), ("3600", 3600)])
def test_the_installations_time(monkeypatch: pytest.MonkeyPatch, value: str, default_s: int | None) -> None:
    monkeypatch.setenv("DEFAULT_TTL_SECONDS_AFTER_FINISHED", value)
    assert OperatorSettings().default_ttl_seconds_after_finished == default_s
