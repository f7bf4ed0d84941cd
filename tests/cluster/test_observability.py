"""What can be seen of jobs from outside: one query of the logs tells a job's story, and the metrics add up."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from functools import partial

import pytest

from recon_api.trace_context import hex_trace_id
from recon_dev.generate import metrics_page
from recon_dev.generate.dashboards.fleet import FLEET
from recon_dev.generate.dashboards.grafana import Panel
from recon_dev.generate.dashboards.internals import INTERNALS
from recon_dev.generate.dashboards.namespaces import NAMESPACES
from recon_worker.device import gpu_name
from tests.support.control_plane import ControlPlane
from tests.support.observed import Observed, go_through_everything, observed_system, scrape, total
from tests.support.otlp import paths
from tests.support.programs import PROMETHEUS
from tests.support.prometheus import Prometheus, alert_rules
from tests.support.waiting import wait_for

FIELDS = {"time", "level", "service", "logger", "message"}


@pytest.fixture(scope="module")
def observed(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """A system through which jobs of every kind went; one still runs, others wait for it."""
    with observed_system(control_plane, tmp_path_factory.mktemp("observed")) as system:
        go_through_everything(system)
        yield system


def test_every_line_is_json_with_the_same_fields(observed: Observed) -> None:
    for line in observed.lines():
        assert set(line) >= FIELDS, line
        assert "uid" in line or "attempt" not in line, line


@pytest.mark.parametrize(
    ("job", "story"),
    [
        pytest.param(
            "good",
            [
                ("operator", "taken up"),
                ("operator", "attempt 1 is sent"),
                ("worker", "attempt 1 begins"),
                ("worker", "step Running reconstruction begins"),
                ("worker", "published"),
                ("worker", "attempt 1 has completed"),
                ("operator", "Completed"),
            ],
            id="from apply to publish",
        ),
        pytest.param(
            "again",
            [
                ("worker", "attempt 1 begins"),
                ("worker", "attempt 1 has failed"),
                ("operator", "attempt 2 is sent"),
                ("worker", "attempt 2 begins"),
                ("operator", "Completed"),
            ],
            id="over two attempts",
        ),
        pytest.param(
            "crash",
            [("worker", "attempt 1 begins"), ("worker", "died"), ("operator", "BackoffLimitExceeded")],
            id="to the death of its process, told by the main one",
        ),
        pytest.param(
            "cancelled",
            [("worker", "attempt 1 begins"), ("worker", "attempt 1 has cancelled"), ("operator", "Cancelled")],
            id="to its cancellation",
        ),
    ],
)
def test_one_query_tells_a_jobs_story(observed: Observed, job: str, story: list[tuple[str, str]]) -> None:
    uid = observed.uid(job)
    logged = [(line["service"], line["message"]) for line in observed.lines() if line.get("uid") == uid]
    # The operator says that an attempt is sent once it is: the worker may have begun by then. So each one's lines are in order.
    rest = {of: iter([text for service, text in logged if service == of]) for of in ("operator", "worker")}
    for service, message in story:
        assert any(message.lower() in text.lower() for text in rest[service]), (service, message, logged)


def test_each_line_about_a_job_names_it(observed: Observed) -> None:
    names = {observed.uid(name): name for name in observed.jobs}
    about = [line for line in observed.lines() if line.get("uid") in names and "job" in line]
    assert {line["service"] for line in about} == {"operator", "worker"}
    assert all(line["job"] == names[line["uid"]] for line in about)
    assert all(line["namespace"] == observed.system.namespace for line in about)


def test_no_log_holds_a_secret(observed: Observed) -> None:
    for log in observed.logs:
        assert observed.system.settings.redis_password not in log.read_text()


def test_the_operator_counts_what_became_of_the_jobs(observed: Observed) -> None:
    queued = {"gpu_class": "any", "phase": "Queued"}
    wait_for(
        "all wait that were put there last",
        lambda: total(scrape(observed.operator_url), "reconstruction_pool_jobs", **queued) == 3,
    )
    samples = scrape(observed.operator_url)
    namespace = observed.system.namespace
    ended = {
        (phase, reason): total(
            samples, "reconstruction_jobs_finished_total", phase=phase, reason=reason, namespace=namespace
        )
        for phase, reason in [
            ("Succeeded", "Completed"),
            ("Failed", "InputRejected"),
            ("Failed", "BackoffLimitExceeded"),
            ("Cancelled", "Cancelled"),
        ]
    }
    assert list(ended.values()) == [3, 1, 1, 1], ended
    assert total(samples, "reconstruction_attempts_ended_total", reason="WorkerCrashed") == 1
    assert total(samples, "reconstruction_jobs", phase="Running") == 1
    assert total(samples, "reconstruction_pool_jobs", gpu_class="any", phase="Queued") == 3
    assert total(samples, "reconstruction_workers", gpu_class="any") == 1
    assert total(samples, "reconstruction_gpu_seconds_total", namespace=namespace) > 0
    assert total(samples, "reconstruction_cancel_latency_seconds_count") == 1
    assert total(samples, "reconstruction_redis_up") == 1
    assert total(samples, "reconstruction_watch_missed_total") == 0


def test_the_worker_counts_each_attempt_once_and_tells_what_it_does(observed: Observed) -> None:
    # An attempt is counted some time after its end is told to the operator.
    wait_for(
        "the last end is counted",
        lambda: total(scrape(observed.worker_url), "reconstruction_worker_attempts_total") >= 7,
    )
    samples = scrape(observed.worker_url)
    ended = {
        (outcome, reason): total(samples, "reconstruction_worker_attempts_total", outcome=outcome, reason=reason)
        for outcome, reason in [
            ("completed", ""),
            ("failed", "InputRejected"),
            ("failed", "ReconstructionFailed"),
            ("failed", "WorkerCrashed"),
            ("cancelled", "Cancelled"),
        ]
    }
    assert list(ended.values()) == [3, 1, 1, 1, 1], ended
    assert total(samples, "reconstruction_worker_attempts_total") == 7
    assert total(samples, "reconstruction_worker_busy") == 1
    assert total(samples, "reconstruction_worker_info", worker="worker-0", gpu_class="any") == 1
    assert total(samples, "reconstruction_worker_step_seconds_count", step="Running reconstruction") >= 4
    assert ("reconstruction_worker_lease_renewal_age_seconds", frozenset()) in samples


def test_every_series_is_on_the_reference_page(observed: Observed) -> None:
    for url in (observed.operator_url, observed.worker_url):
        found = {name for name, _ in scrape(url) if not name.startswith(("process_", "python_"))}
        assert found <= metrics_page.names()


def test_a_worker_serves_metrics_and_nothing_else(observed: Observed) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(f"{observed.worker_url}/", timeout=10)  # noqa: S310 - of this test's processes


def test_a_watch_that_dies_is_noticed_and_one_that_comes_back_too(observed: Observed) -> None:
    """The age of a quiet watch is that of its latest opening: it stays below the time after which it is opened anew."""
    age = "reconstruction_watch_last_event_age_seconds"
    wait_for("the watch is alive", lambda: total(scrape(observed.operator_url), age) < 110)


RUN = "job/attempt 1/run attempt 1"
OF_OPERATOR = {"job", "queued", "dispatch"}


@pytest.mark.parametrize(
    ("job", "tree"),
    [
        pytest.param(
            "good",
            {
                "job",
                "job/queued",
                "job/attempt 1",
                "job/attempt 1/dispatch",
                RUN,
                f"{RUN}/Loading input files",
                f"{RUN}/Preprocessing images",
                f"{RUN}/Running reconstruction",
                f"{RUN}/Post-processing mesh",
                f"{RUN}/Generating previews",
                f"{RUN}/publish",
            },
            id="from apply to publish",
        ),
        pytest.param(
            "again",
            {"job/attempt 1", RUN, "job/attempt 2", "job/attempt 2/dispatch", "job/attempt 2/run attempt 2"},
            id="both attempts",
        ),
        pytest.param("crash", {"job", "job/attempt 1"}, id="an attempt whose process died, as the operator saw it"),
        pytest.param("cancelled", {"job", "job/attempt 1", RUN, f"{RUN}/Preprocessing images"}, id="a cancelled job"),
    ],
)
def test_a_job_is_one_tree_of_spans(observed: Observed, job: str, tree: set[str]) -> None:
    uid = observed.uid(job)
    wait_for("the spans arrive", lambda: tree <= paths(observed.traces.of_job(uid)))
    spans = observed.traces.of_job(uid)
    assert {told.span.trace_id.hex() for told in spans} == {hex_trace_id(uid)}
    assert len({told.span.span_id for told in spans}) == len(spans)
    for told in spans:
        assert told.span.start_time_unix_nano <= told.span.end_time_unix_nano, told
        of_operator = told.span.name in OF_OPERATOR or told.span.name.startswith("attempt ")
        assert told.service == ("reconstruction-operator" if of_operator else "reconstruction-worker"), told


def test_log_lines_name_the_trace(observed: Observed) -> None:
    uid = observed.uid("good")
    lines = [line for line in observed.lines() if line.get("uid") == uid]
    assert {line["trace_id"] for line in lines} == {hex_trace_id(uid)}


def test_no_span_holds_a_secret(observed: Observed) -> None:
    assert observed.system.settings.redis_password not in "".join(str(told.span) for told in observed.traces.spans)


NEEDS_A_GPU = "reconstruction_worker_gpu_"
PANELS = [
    pytest.param(panel, id=f"{dashboard.uid}: {panel.title}")
    for dashboard in (FLEET, NAMESPACES, INTERNALS)
    for panel in dashboard.panels()
    if NEEDS_A_GPU not in str(panel.queries) or gpu_name() != "cpu"
]


@pytest.fixture
def prometheus(observed: Observed) -> Prometheus:
    """The Prometheus that has scraped all the while."""
    if observed.prometheus is None:
        pytest.skip(PROMETHEUS.reason)
    return observed.prometheus


@pytest.mark.parametrize("panel", PANELS)
def test_no_panel_is_empty(observed: Observed, prometheus: Prometheus, panel: Panel) -> None:
    """Every query has had a number while jobs succeeded, failed, were cancelled, ran and waited."""
    chosen = {"$namespace": observed.system.namespace, "$price": "2", "$__rate_interval": "1m", "$__range": "1h"}
    for query in panel.queries:
        expression = query.expression
        for variable, value in chosen.items():
            expression = expression.replace(variable, value)
        wait_for(f"{expression} has a value", partial(prometheus.values, expression))


def test_what_the_panels_show_is_what_happened(prometheus: Prometheus) -> None:
    def latest(expression: str) -> float:
        return prometheus.values(expression)[-1]

    wait_for("the last scrape", lambda: latest('sum(reconstruction_pool_jobs{phase="Queued"})') == 3)
    assert latest("sum(max by (gpu_class) (reconstruction_workers))") == 1
    assert latest("avg(reconstruction_worker_busy)") == 1
    assert latest('sum(reconstruction_jobs_finished_total{phase="Failed"})') == 2
    assert latest("max(reconstruction_watch_last_event_age_seconds)") < 110


def test_every_alert_is_evaluated_and_none_fires_without_need(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
    assert {rule["name"] for rule in rules} == {rule["alert"] for rule in alert_rules()}
    assert {(rule["name"], rule["lastError"]) for rule in rules if rule["health"] != "ok"} == set()
    busy_machine = {"ReconstructionCancelSlow"}
    assert {rule["name"] for rule in rules if rule["state"] == "firing"} <= busy_machine
