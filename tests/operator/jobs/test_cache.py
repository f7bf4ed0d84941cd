"""The jobs known, whatever order news of them comes in."""

import pytest

from recon_api.status import Phase
from recon_operator.jobs.cache import Jobs
from tests.operator.builders import LABELLED, UID, dispatched, finished, queued
from tests.operator.shown import shown


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.mark.parametrize(
    ("known", "news", "is_news"),
    [
        pytest.param("7", "8", True, id="a newer version is news"),
        pytest.param("7", "7", False, id="the same version is not"),
        pytest.param("10", "9", False, id="an older version is not, though its text sorts after"),
    ],
)
def test_the_newest_version_stays(jobs: Jobs, known: str, news: str, is_news: bool) -> None:
    jobs.apply(shown(resource_version=known))
    assert jobs.apply(shown(resource_version=news)) is is_news


def test_a_late_event_does_not_bring_a_removed_job_back(jobs: Jobs) -> None:
    jobs.apply(shown(resource_version="7"))
    jobs.remove(UID, "9")
    jobs.apply(shown(resource_version="8"))
    assert jobs.get(UID) is None


def test_a_finished_and_labelled_job_is_not_kept(jobs: Jobs) -> None:
    jobs.apply(shown(resource_version="7"))
    jobs.apply(shown(resource_version="8", status=finished(Phase.FAILED), labels=LABELLED))
    assert len(jobs) == 0


def test_a_deleted_job_that_nobody_holds_is_not_kept(jobs: Jobs) -> None:
    jobs.apply(shown(resource_version="7", deleted_s_ago=1.0))
    assert len(jobs) == 0


def test_jobs_are_sorted_by_what_they_occupy(jobs: Jobs) -> None:
    jobs.apply(shown(uid="waits", status=queued()))
    jobs.apply(shown(uid="sent", status=dispatched()))
    jobs.apply(shown(uid="other", status=dispatched(), managedBy="example.com/other"))
    assert [job.uid for job in jobs.without_attempt("any")] == ["waits"]
    assert [job.uid for job in jobs.occupying()] == ["sent"]


def test_a_job_moves_when_it_is_sent(jobs: Jobs) -> None:
    jobs.apply(shown(resource_version="7", status=queued()))
    jobs.apply(shown(resource_version="8", status=dispatched()))
    assert (jobs.without_attempt("any"), len(jobs.occupying("any"))) == ([], 1)


def test_a_list_finds_what_the_watch_has_missed(jobs: Jobs) -> None:
    jobs.apply(shown(uid="ghost", resource_version="5"))
    jobs.apply(shown(uid="same", resource_version="6"))
    jobs.apply(shown(uid="younger than the list", resource_version="20"))
    listed = [shown(uid="same", resource_version="6"), shown(uid="missed", resource_version="9")]
    assert jobs.replace(listed, "10") == {"ghost", "missed"}
    assert {job.uid for job in jobs} == {"same", "missed", "younger than the list"}
