"""What a status says at a glance: the conditions that tools wait for, and the texts of `kubectl get`."""

from typing import Any

import pytest

from recon_api.crd import unseen_status
from recon_api.status import (
    ConditionType,
    Phase,
    Progress,
    ReconstructionJobStatus,
)
from recon_operator.decide import decide
from recon_operator.decide.summary import duration_text, with_summary, with_texts
from tests.operator.builders import (
    NOW,
    ago,
    completed,
    condition,
    finished,
    make_job,
    make_observation,
    queued,
    running,
)
from tests.operator.decisions import LIMITS, SENT, UNKNOWN
from tests.support.kstatus import kstatus

UNSEEN = ReconstructionJobStatus.model_validate(unseen_status())
"""As the API server shows a job that no operator has seen."""


def kstatus_of(status: ReconstructionJobStatus, generation: int = 1) -> str:
    body = {
        "metadata": {"generation": generation},
        "status": status.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    }
    return kstatus(body)


@pytest.mark.parametrize(
    ("status", "held", "tools_say"),
    [
        pytest.param(queued(), {"Reconciling"}, "InProgress", id="a job that waits"),
        pytest.param(running(), {"Reconciling"}, "InProgress", id="a job that runs"),
        pytest.param(queued(phase=Phase.SUSPENDED), {"Reconciling"}, "InProgress", id="a job that is held"),
        pytest.param(
            queued(phase=Phase.RETRYING), {"Reconciling"}, "InProgress", id="a job that failed and will try again"
        ),
        pytest.param(finished(Phase.SUCCEEDED), {"Ready", "Finished"}, "Current", id="a job that succeeded"),
        pytest.param(finished(Phase.FAILED), {"Stalled", "Finished"}, "Failed", id="a job that failed for good"),
        pytest.param(finished(Phase.CANCELLED), {"Stalled", "Finished"}, "Failed", id="a job that was cancelled"),
    ],
)
def test_what_tools_are_told(status: ReconstructionJobStatus, held: set[str], tools_say: str) -> None:
    summed = with_summary(status, 1, NOW).model_copy(update={"observed_generation": 1})
    names = {"Ready", "Reconciling", "Stalled", "Finished"}
    assert {c.type.value for c in summed.conditions if c.status == "True" and c.type in names} == held
    assert kstatus_of(summed) == tools_say


def test_a_job_that_no_operator_has_seen_is_not_taken_for_done() -> None:
    assert kstatus_of(UNSEEN) == "InProgress"


def test_a_spec_that_no_operator_has_seen_is_not_taken_for_done() -> None:
    summed = with_summary(finished(Phase.SUCCEEDED), 1, NOW).model_copy(update={"observed_generation": 1})
    assert kstatus_of(summed, generation=2) == "InProgress"


@pytest.mark.parametrize(
    ("before", "since"),
    [
        pytest.param(UNSEEN, NOW, id="nobody had seen the job: from now on"),
        pytest.param(queued(), NOW, id="an earlier version wrote none: from now on"),
        pytest.param(
            queued(conditions=(condition(ConditionType.READY, "False", "Progressing", since=ago(9)),)),
            ago(9),
            id="it stays as it was: since then",
        ),
        pytest.param(
            queued(conditions=(condition(ConditionType.READY, "True", "Completed", since=ago(9)),)),
            NOW,
            id="somebody else had set it: from now on",
        ),
    ],
)
def test_since_when_a_condition_is_as_it_is(before: ReconstructionJobStatus, since: Any) -> None:
    ready = with_summary(before, 1, NOW).condition(ConditionType.READY)
    assert ready
    assert (ready.status, ready.last_transition_time) == ("False", since)


def test_a_second_pass_changes_nothing() -> None:
    once = with_summary(running(progress=Progress(percentage=45, estimated_remaining_seconds=65)), 1, ago(60))
    assert with_summary(once, 2, NOW) == once


def test_the_end_replaces_what_was_said_of_the_open_job() -> None:
    job = make_job(status=with_summary(SENT.status, 1, ago(60)))
    status = decide(job, make_observation(result=completed()), NOW, LIMITS).status
    assert status.condition(ConditionType.RECONCILING) is None
    ready = status.condition(ConditionType.READY)
    assert ready
    assert (ready.status, ready.reason, ready.last_transition_time) == ("True", "Completed", NOW)


@pytest.mark.parametrize(
    "job",
    [
        pytest.param(make_job(status=UNSEEN, managedBy="example.com/scheduler"), id="another controller's job"),
        pytest.param(
            make_job(status=finished(Phase.FAILED), finalizer=False), id="a job that an earlier version ended"
        ),
    ],
)
def test_a_status_that_is_left_alone_gets_no_summary(job: Any) -> None:
    assert decide(job, UNKNOWN, NOW, LIMITS).status is job.status


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (45, "45s"),
        (60, "1m"),
        (200, "3m20s"),
        (3_600, "1h"),
        (3_905, "1h5m"),
        (90_061, "1d1h"),
        (86_405, "1d"),
    ],
)
def test_durations_have_their_two_largest_units(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("left_s", "remaining"), [pytest.param(None, "", id="unknown"), pytest.param(0, "0s", id="done"), (200, "3m20s")]
)
def test_numbers_of_kubectl_get_have_units(left_s: int | None, remaining: str) -> None:
    progress = with_texts(Progress(percentage=45, estimated_remaining_seconds=left_s))
    assert (progress.percent, progress.remaining) == ("45%", remaining)
