"""Progress that is passed on: every new step, the latest value, and figures that are few and short."""

import threading

import pytest

from recon_api.payload import JobWarning, ProgressMeta
from recon_api.status import Metric
from recon_api.steps import Step
from recon_worker.attempt.attempt_result import completed, with_circumstances
from recon_worker.attempt.progress_reporter import ProgressReporter
from recon_worker.attempt.stop_order import StopOrder
from recon_worker.publishing.published_result import PublishedResult
from tests.support.waiting import wait_for

NOTHING = PublishedResult((), (), ())


def test_figures_are_few_and_short_and_the_first_ones_stay() -> None:
    feed = ProgressReporter(lambda _: None, StopOrder())
    for number in range(30):
        feed.show_metric(f"figure {number}", "x" * 300)
    feed.show_metric("figure 0", "later")
    for metrics in (feed.metrics, with_circumstances(completed(1, NOTHING), worker="w", started_at=None).metrics):
        assert len(metrics) <= 20
    assert feed.metrics[0] == Metric(name="figure 0", value="later")
    assert [metric.name for metric in feed.metrics] == [f"figure {number}" for number in range(20)]
    assert {len(metric.value) for metric in feed.metrics[1:]} == {200}


def test_counts_stay_numbers() -> None:
    sent: list[ProgressMeta] = []
    with ProgressReporter(sent.append, StopOrder()) as reporter:
        assert reporter.photos is None
        reporter.show_metric("photos", 36)
        reporter.show(Step.LOADING, 1.0)
        wait_for("progress is sent", lambda: sent)
    assert (sent[-1].photos, sent[-1].metrics) == (36, (Metric(name="photos", value="36"),))


def test_an_attempt_may_end_before_its_first_step() -> None:
    assert ProgressReporter(lambda _: None, StopOrder()).visits() == ()


def test_every_new_step_is_sent_and_the_latest_value_counts() -> None:
    sent: list[ProgressMeta] = []
    with ProgressReporter(sent.append, StopOrder()) as feed:
        for step in Step:
            for percentage in range(step.start_percentage, step.end_percentage):
                feed.show(step, percentage)
            wait_for(f"{step} is sent", lambda step=step: step in {meta.step for meta in sent}, every_s=0.001)  # type: ignore[misc]
    assert len(sent) < 3 * len(Step)
    assert [meta.progress for meta in sent] == sorted(meta.progress for meta in sent)


def test_the_time_at_a_step_counts_from_its_first_value(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[ProgressMeta] = []
    got, now = threading.Event(), [100.0]
    monkeypatch.setattr("recon_worker.attempt.progress_reporter.time.monotonic", lambda: now[0])

    def send(meta: ProgressMeta) -> None:
        sent.append(meta)
        got.set()

    with ProgressReporter(send, StopOrder()) as feed:
        for at, step in ((100.0, Step.LOADING), (103.0, Step.LOADING), (110.0, Step.PREVIEWS), (111.5, Step.PREVIEWS)):
            now[0] = at
            feed.show(step, step.end_percentage)
            assert got.wait(10)
            got.clear()
    assert [meta.step_elapsed_s for meta in sent] == [0.0, 3.0, 0.0, 1.5]


def test_a_broken_feed_neither_stops_nor_holds_the_job() -> None:
    tried = threading.Event()

    def send(_: ProgressMeta) -> None:
        tried.set()
        raise ConnectionError("no Redis")

    with ProgressReporter(send, StopOrder()) as feed:
        feed.show(Step.LOADING, 1)
        assert tried.wait(10)
        feed.show(Step.PREVIEWS, 85)
        feed.raise_if_stopped()


def test_the_visits_of_steps_follow_one_another() -> None:
    feed = ProgressReporter(lambda _: None, StopOrder())
    for step, percentage in [(Step.LOADING, 1), (Step.LOADING, 5), (Step.PREPROCESSING, 11), (Step.FINALIZING, 99)]:
        feed.show(step, percentage)
    visits = feed.visits()
    assert [visit.step for visit in visits] == [Step.LOADING, Step.PREPROCESSING, Step.FINALIZING]
    assert all(visit.seconds >= 0 for visit in visits)


def test_warnings_are_few_short_and_each_sent_once() -> None:
    sent: list[ProgressMeta] = []
    with ProgressReporter(sent.append, StopOrder()) as reporter:
        for number in range(30):
            reporter.show_warning(JobWarning(reason="PhotosLeftOut", message=f"{number // 2} " + "x" * 2000))
        reporter.show(Step.LOADING, 1.0)
        wait_for("they are sent", lambda: sent and len(sent[-1].warnings) == 10)
    assert [warning.message.split()[0] for warning in sent[-1].warnings] == [str(number) for number in range(10)]
    assert {len(warning.message) for warning in sent[-1].warnings} == {1024}
