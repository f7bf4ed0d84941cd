"""The jobs known, whatever order news of them comes in."""

from collections.abc import Callable

import pytest

from recon_api.status import Phase, ReconstructionJobStatus
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.installation import Installation
from recon_operator.jobs.other_installations import OtherInstallations
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


def test_a_list_of_one_namespace_says_nothing_of_others(jobs: Jobs) -> None:
    jobs.apply(shown(uid="here", namespace="studio", resource_version="5"))
    jobs.apply(shown(uid="elsewhere", namespace="lab", resource_version="5"))
    assert jobs.replace([], "10", "studio") == {"here"}
    assert [job.uid for job in jobs] == ["elsewhere"]


def owned_by(operator: str) -> ReconstructionJobStatus:
    return dispatched(operator=operator)


OURS = Installation("studio/ours", adopts=("studio/gone",))


@pytest.mark.parametrize(
    ("owner", "kept"),
    [
        pytest.param("", True, id="a job that names nobody is ours, once we have written so"),
        pytest.param("studio/ours", True, id="a job that names us is ours"),
        pytest.param("studio/gone", True, id="a job that names one whose jobs we take over is ours"),
        pytest.param("studio/others", False, id="a job that names any other is left alone"),
    ],
)
def test_only_jobs_of_this_installation_are_kept(owner: str, kept: bool) -> None:
    jobs = Jobs(OURS)
    jobs.apply(shown(status=owned_by(owner)))
    assert (len(jobs), len(jobs.occupying())) == (kept, kept)


def test_a_job_that_another_has_taken_leaves_and_one_that_it_has_let_go_comes_back() -> None:
    jobs = Jobs(OURS)
    jobs.apply(shown(resource_version="7", status=queued()))
    jobs.apply(shown(resource_version="8", status=queued(operator="studio/others")))
    assert (jobs.get(UID), jobs.without_attempt("any")) == (None, [])
    assert jobs.apply(shown(resource_version="9", status=queued()))
    assert [job.uid for job in jobs.without_attempt("any")] == [UID]
    assert not jobs.others.jobs_by_owner()


def test_each_job_of_another_is_reported_once() -> None:
    reported: list[str] = []
    jobs = Jobs(OURS, OtherInstallations(lambda job: reported.append(f"{job.uid} {job.status.operator}")))
    for version, owner in (("7", "a/b"), ("8", "a/b"), ("9", "c/d")):
        jobs.apply(shown(resource_version=version, status=queued(operator=owner)))
    assert reported == [f"{UID} a/b", f"{UID} c/d"]
    assert jobs.others.jobs_by_owner() == {"c/d": 1}


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(lambda jobs: jobs.remove(UID, "9"), id="it is deleted, or leaves the watch"),
        pytest.param(lambda jobs: jobs.replace([], "10"), id="a list does not show it"),
        pytest.param(
            lambda jobs: jobs.apply(shown(resource_version="9", status=finished(Phase.FAILED, operator="a/b"))),
            id="it has finished",
        ),
    ],
)
def test_a_job_of_another_is_counted_until_it_ends(end: Callable[[Jobs], object]) -> None:
    jobs = Jobs(OURS)
    jobs.apply(shown(resource_version="7", status=queued(operator="a/b")))
    assert jobs.others.jobs_by_owner() == {"a/b": 1}
    end(jobs)
    assert not jobs.others.jobs_by_owner()


@pytest.mark.parametrize(
    ("before", "gone", "vanished"),
    [
        pytest.param(dispatched(), lambda jobs: jobs.remove(UID, "9"), True, id="its attempt was sent"),
        pytest.param(
            dispatched(), lambda jobs: jobs.replace([], "10"), True, id="its attempt was sent, and a list misses it"
        ),
        pytest.param(queued(), lambda jobs: jobs.remove(UID, "9"), False, id="it has waited"),
        pytest.param(
            queued(),
            lambda jobs: jobs.remove(UID, "9", shown(status=dispatched()).job),
            True,
            id="its attempt was sent since it was last shown",
        ),
        pytest.param(
            dispatched(),
            lambda jobs: jobs.remove(UID, "9", shown(status=finished(Phase.FAILED)).job),
            False,
            id="it has finished meanwhile, and leaves the watch",
        ),
        pytest.param(
            dispatched(),
            lambda jobs: (jobs.let_go(UID), jobs.remove(UID, "9")),
            False,
            id="this operator has let it go",
        ),
        pytest.param(
            dispatched(),
            lambda jobs: jobs.apply(shown(resource_version="9", status=dispatched(), deleted_s_ago=1.0)),
            False,
            id="the answer to letting it go comes first",
        ),
        pytest.param(
            dispatched(),
            lambda jobs: (
                jobs.let_go(UID),
                jobs.apply(shown(resource_version="8", status=dispatched())),
                jobs.remove(UID, "9"),
            ),
            True,
            id="letting it go failed, and somebody else did",
        ),
    ],
)
def test_a_job_vanishes_that_goes_while_its_attempt_is_open(
    jobs: Jobs, before: ReconstructionJobStatus, gone: Callable[[Jobs], object], vanished: bool
) -> None:
    jobs.apply(shown(resource_version="7", status=before))
    gone(jobs)
    assert (jobs.take_vanished(UID) is not None) is vanished
    assert jobs.take_vanished(UID) is None
