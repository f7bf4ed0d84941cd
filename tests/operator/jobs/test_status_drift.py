"""Which status of a job is true, whoever wrote what the API server shows."""

import pytest

from recon_api.status import ConditionType, Phase, ReconstructionJobStatus
from recon_operator.jobs.cache import REMEMBERED_WRITES, Jobs
from recon_operator.jobs.parsing import read_job
from recon_operator.jobs.status_patch import dump
from tests.operator.builders import UID, ago, condition, dispatched, finished, make_job, queued, running
from tests.operator.shown import as_shown, shown

RUNNING = running()
COMPLETE = condition(ConditionType.COMPLETE, "True", "Completed", since=ago(3))
FAILED = condition(ConditionType.FAILED, "True", "Whatever", since=ago(3))


@pytest.fixture
def jobs() -> Jobs:
    """One job that runs, at version 7."""
    jobs = Jobs()
    jobs.apply(shown(resource_version="7", status=RUNNING))
    return jobs


def true(jobs: Jobs) -> ReconstructionJobStatus:
    """The status that is true of the one job."""
    job = jobs.get(UID)
    assert job is not None
    return job.status


def edited(jobs: Jobs) -> tuple[str, ...]:
    """Which fields of the one job somebody else has written."""
    job = jobs.get(UID)
    assert job is not None
    edit = jobs.edit(job)
    return edit.fields if edit else ()


@pytest.mark.parametrize(
    ("status", "fields"),
    [
        pytest.param(RUNNING, (), id="nothing has changed"),
        pytest.param(running(message="mine"), ("message",), id="another message"),
        pytest.param(running(execution_attempts=0, attempts=()), ("attempts", "executionAttempts"), id="no attempt"),
        pytest.param(running(phase=Phase.SUCCEEDED), ("phase",), id="an end without its condition"),
        pytest.param(running(start_time=None), ("startTime",), id="a field is gone"),
        pytest.param(
            ReconstructionJobStatus(),
            (
                "attempts",
                "conditions",
                "executionAttempts",
                "message",
                "model",
                "observedGeneration",
                "phase",
                "startTime",
                "taskID",
                "worker",
            ),
            id="everything is gone",
        ),
    ],
)
def test_what_somebody_else_wrote_is_not_taken_over(
    jobs: Jobs, status: ReconstructionJobStatus, fields: tuple[str, ...]
) -> None:
    assert jobs.apply(shown(resource_version="8", status=status))
    assert (true(jobs), edited(jobs)) == (RUNNING, fields)


def test_an_end_that_somebody_else_wrote_frees_no_worker(jobs: Jobs) -> None:
    jobs.apply(shown(resource_version="8", status=running(phase=Phase.FAILED)))
    assert [job.uid for job in jobs.occupying("any")] == [UID]


def test_who_takes_an_edit_back_leaves_nothing_to_correct(jobs: Jobs) -> None:
    jobs.apply(shown(resource_version="8", status=running(message="mine")))
    jobs.apply(shown(resource_version="9", status=RUNNING))
    assert edited(jobs) == ()


def test_an_edit_is_told_of_the_version_that_shows_it(jobs: Jobs) -> None:
    decided_on = jobs.get(UID)
    assert decided_on is not None
    jobs.apply(shown(resource_version="8", status=running(message="mine")))
    assert jobs.edit(decided_on) is None


def test_a_write_of_ours_is_known_by_its_answer(jobs: Jobs) -> None:
    jobs.apply(shown(resource_version="8", status=queued()), ours=True)
    assert (true(jobs), edited(jobs)) == (queued(), ())
    assert not jobs.apply(shown(resource_version="8", status=queued())), "its event is no news"


def test_a_write_of_ours_is_known_before_its_answer(jobs: Jobs) -> None:
    jobs.writing(make_job(), queued())
    jobs.apply(shown(resource_version="8", status=queued()))
    assert (true(jobs), edited(jobs)) == (queued(), ())


def test_an_answer_that_comes_after_its_event_counts(jobs: Jobs) -> None:
    jobs.apply(shown(resource_version="8", status=queued()))
    jobs.apply(shown(resource_version="8", status=queued()), ours=True)
    assert (true(jobs), edited(jobs)) == (queued(), ())


def test_an_answer_that_comes_after_a_later_edit_does_not_hide_it(jobs: Jobs) -> None:
    jobs.writing(make_job(), queued())
    jobs.apply(shown(resource_version="8", status=queued()))
    jobs.apply(shown(resource_version="9", status=queued(message="mine")))
    jobs.apply(shown(resource_version="8", status=queued()), ours=True)
    assert (true(jobs), edited(jobs)) == (queued(), ("message",))


@pytest.mark.parametrize("landed", [0, 1])
def test_of_writes_without_an_answer_any_may_have_landed(jobs: Jobs, landed: int) -> None:
    tries = [running(message="first"), running(message="second")]
    for status in tries:
        jobs.writing(make_job(), status)
    jobs.apply(shown(resource_version="8", status=tries[landed]))
    assert (true(jobs), edited(jobs)) == (tries[landed], ())


def test_a_write_that_has_not_landed_by_the_next_version_never_will(jobs: Jobs) -> None:
    jobs.writing(make_job(), queued())
    jobs.apply(shown(resource_version="8", status=RUNNING))
    jobs.apply(shown(resource_version="9", status=queued()))
    assert true(jobs) == RUNNING


def test_writes_without_an_answer_are_not_kept_for_ever(jobs: Jobs) -> None:
    for number in range(REMEMBERED_WRITES + 1):
        jobs.writing(make_job(), running(message=f"{number}"))
    jobs.apply(shown(resource_version="8", status=running(message="0")))
    assert edited(jobs) == ("message",)


def test_another_controllers_status_is_its_own(jobs: Jobs) -> None:
    for version, status in (("7", queued()), ("8", running())):
        jobs.apply(shown(uid="other", resource_version=version, status=status, managedBy="example.com/other"))
    job = jobs.get("other")
    assert job is not None
    assert (job.status, jobs.edit(job)) == (running(), None)


def test_what_is_seen_first_is_true() -> None:
    jobs = Jobs()
    jobs.apply(shown(status=running(message="mine")))
    assert (true(jobs).message, edited(jobs)) == ("mine", ())


@pytest.mark.parametrize(
    ("status", "phase", "fields"),
    [
        pytest.param(
            running(phase=Phase.SUCCEEDED, conditions=(COMPLETE,)),
            Phase.SUCCEEDED,
            ("completionTime", "conditions"),
            id="an end with its condition stays",
        ),
        pytest.param(
            running(conditions=(*RUNNING.conditions, FAILED)),
            Phase.FAILED,
            ("completionTime", "phase"),
            id="a condition alone brings its phase",
        ),
        pytest.param(
            running(phase=Phase.CANCELLED, conditions=(*RUNNING.conditions, FAILED)),
            Phase.CANCELLED,
            ("completionTime",),
            id="a phase stays with any condition",
        ),
    ],
)
def test_an_end_that_cannot_be_taken_back(
    jobs: Jobs, status: ReconstructionJobStatus, phase: Phase, fields: tuple[str, ...]
) -> None:
    jobs.apply(shown(resource_version="8", status=status))
    now = true(jobs)
    assert (now.phase, now.completion_time, now.attempts) == (phase, ago(3), RUNNING.attempts)
    assert {c.type for c in RUNNING.conditions} < {c.type for c in now.conditions}
    assert edited(jobs) == fields


def test_a_second_end_does_not_undo_the_first() -> None:
    jobs = Jobs()
    done = finished(Phase.SUCCEEDED)
    jobs.apply(shown(resource_version="7", status=done))
    jobs.apply(shown(resource_version="8", status=done.model_copy(update={"conditions": (*done.conditions, FAILED)})))
    assert (true(jobs).phase, true(jobs).completion_time, edited(jobs)) == (Phase.SUCCEEDED, ago(1), ())


def test_what_cannot_be_read_is_an_edit(jobs: Jobs) -> None:
    body = as_shown(make_job(resource_version="8")).job.model_dump(mode="json", by_alias=True)
    body["status"] = dump(RUNNING) | {"startTime": "0000-01-01T00:00:00Z"}
    jobs.apply(read_job(body))
    assert (true(jobs), edited(jobs)) == (RUNNING, ("startTime",))


def test_what_cannot_be_read_at_first_sight_is_set_right_too() -> None:
    jobs = Jobs()
    body = make_job().model_dump(mode="json", by_alias=True)
    body["status"] = dump(dispatched()) | {"startTime": "2026-11-22T12:00:00+99:99"}
    jobs.apply(read_job(body))
    assert (true(jobs), edited(jobs)) == (dispatched(), ("startTime",))
