"""What a failure leads to, by spec.failurePolicy and, behind it, by whose move it is."""

from typing import Any

import pytest

from recon_api.reasons import reason_of
from recon_api.spec import FailureAction, FailurePolicy
from recon_api.status import Phase
from recon_operator.decide import decide
from recon_operator.decide.failure_policy import Verdict, verdict
from recon_operator.decide.retries import next_attempt_at
from tests.operator.builders import NOW, alive, ended, failed, make_job, running
from tests.operator.decisions import LIMITS

FAIL_JOB, IGNORE, COUNT = FailureAction.FAIL_JOB, FailureAction.IGNORE, FailureAction.COUNT

MEMORY = {"action": "FailJob", "onReasons": ["CUDAOutOfMemory", "OutOfMemory"]}
QUOTA = {"action": "Ignore", "onMessagePatterns": ["(?i)quota|no space"]}
BOTH = {"action": "FailJob", "onReasons": ["StorageFailed"], "onMessagePatterns": ["read-only"]}
FOR_EVER = "(a*)*" * 20 + "b"


@pytest.mark.parametrize(
    ("rules", "reason", "message", "expected"),
    [
        pytest.param([], "InputNotFound", "", Verdict(FAIL_JOB), id="the user's mistake ends the job"),
        pytest.param([], "WorkerLost", "", Verdict(IGNORE), id="what the cluster loses is ignored"),
        pytest.param([], "CUDAOutOfMemory", "", Verdict(COUNT), id="all else counts"),
        pytest.param([], "Unheard", "", Verdict(COUNT), id="so does a reason that nobody knows"),
        pytest.param([MEMORY], "OutOfMemory", "", Verdict(FAIL_JOB, 1), id="a rule matches by reason"),
        pytest.param([MEMORY], "StorageFailed", "", Verdict(COUNT), id="another reason does not match"),
        pytest.param([QUOTA], "StorageFailed", "Quota hit", Verdict(IGNORE, 1), id="a rule matches by message"),
        pytest.param([BOTH], "StorageFailed", "no space", Verdict(COUNT), id="of a rule with both, both must match"),
        pytest.param([BOTH], "StorageFailed", "is read-only", Verdict(FAIL_JOB, 1), id="and then it does"),
        pytest.param([QUOTA, BOTH], "StorageFailed", "quota of a read-only disk", Verdict(IGNORE, 1), id="first wins"),
        pytest.param([MEMORY, BOTH], "StorageFailed", "read-only", Verdict(FAIL_JOB, 2), id="the second may match"),
        pytest.param(
            [{"action": "Count", "onReasons": ["WorkerLost"]}],
            "WorkerLost",
            "",
            Verdict(COUNT, 1),
            id="losses can count",
        ),
        pytest.param(
            [{"action": "Count", "onReasons": ["InputNotFound"]}],
            "InputNotFound",
            "",
            Verdict(COUNT, 1),
            id="an input that comes late can be waited for",
        ),
        pytest.param(
            [{"action": "FailJob", "onMessagePatterns": [FOR_EVER]}],
            "StorageFailed",
            "a" * 1024,
            Verdict(COUNT),
            id="a pattern made to run for ever does not",
        ),
    ],
)
def test_verdict(rules: list[dict[str, Any]], reason: str, message: str, expected: Verdict) -> None:
    assert verdict(FailurePolicy.model_validate({"rules": rules}), reason_of(reason), message) == expected


@pytest.mark.parametrize(
    ("rules", "reason", "phase", "counts"),
    [
        pytest.param([], "CUDAOutOfMemory", Phase.RETRYING, (1, 0), id="what counts is counted"),
        pytest.param([MEMORY], "CUDAOutOfMemory", Phase.FAILED, (0, 0), id="FailJob ends the job at once"),
        pytest.param([QUOTA], "StorageFailed", Phase.RETRYING, (0, 1), id="Ignore does not count, and backs off"),
        pytest.param([], "WorkerLost", Phase.QUEUED, (0, 1), id="what is lost is tried again at once"),
    ],
)
def test_what_a_failure_leads_to(
    rules: list[dict[str, Any]], reason: str, phase: Phase, counts: tuple[int, int]
) -> None:
    job = make_job(status=running(), failurePolicy={"rules": rules})
    status = decide(job, alive(result=failed(reason, message="no space left")), NOW, LIMITS).status
    assert (status.phase, (status.failed_attempts, status.ignored_attempts)) == (phase, counts)


def test_the_message_names_the_rule_that_ended_the_job() -> None:
    job = make_job(status=running(), failurePolicy={"rules": [QUOTA, MEMORY]})
    status = decide(job, alive(result=failed("OutOfMemory")), NOW, LIMITS).status
    assert status.message == "OutOfMemory: it broke (FailJob by rule 2 of spec.failurePolicy)"


def test_a_rule_cannot_have_a_job_tried_for_ever() -> None:
    job = make_job(status=running(11), failurePolicy={"rules": [QUOTA]})
    result = failed("StorageFailed", attempt=11, message="no space")
    decision = decide(job, alive(attempt=11, result=result), NOW, LIMITS)
    assert (decision.status.phase, decision.events[-1].reason.name) == (Phase.FAILED, "IgnoredLimitExceeded")


def test_jobs_that_failed_together_come_back_apart() -> None:
    waits = []
    for number in range(50):
        status = ended("CUDAOutOfMemory", ended_s_ago=0, task_id=f"uid-{number}.1")
        due = next_attempt_at(make_job(), status)
        assert due
        waits.append((due - NOW).total_seconds())
    assert min(waits) >= 8
    assert max(waits) <= 10
    assert len(set(waits)) == 50
