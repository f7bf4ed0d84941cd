"""The arithmetic of the throughput benchmark; the servers that it measures are real and need no test."""

import pytest

from benchmarks.api_server import count_writes
from benchmarks.jobs import Times
from benchmarks.throughput import latencies

METRICS = """\
# TYPE apiserver_request_total counter
apiserver_request_total{code="201",component="apiserver",dry_run="",group="reconstruction.dev",resource="reconstructionjobs",scope="resource",subresource="",verb="POST",version="v1"} 500
apiserver_request_total{code="409",component="apiserver",dry_run="",group="reconstruction.dev",resource="reconstructionjobs",scope="resource",subresource="",verb="POST",version="v1"} 2
apiserver_request_total{code="200",component="apiserver",dry_run="",group="reconstruction.dev",resource="reconstructionjobs",scope="resource",subresource="status",verb="PATCH",version="v1"} 1.5e+03
apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="pods",scope="namespace",subresource="",verb="LIST",version="v1"} 7
apiserver_request_duration_seconds_count{resource="reconstructionjobs",verb="POST"} 9
"""


def test_writes_are_counted_by_verb_and_resource_refused_ones_too() -> None:
    assert count_writes(METRICS) == {
        ("POST", "reconstructionjobs"): 502,
        ("PATCH", "reconstructionjobs/status"): 1500,
    }


def test_jobs_a_second_count_from_the_first_apply_to_the_last_end() -> None:
    jobs = [
        Times(applied=100.0, started=100.5, finished=101.0, phase="Succeeded", attempts=1),
        Times(applied=100.2, started=101.2, finished=104.0, phase="Succeeded", attempts=2),
    ]
    assert latencies(jobs) == {
        "phases": {"Succeeded": 2},
        "second_attempts": 1,
        "elapsed_s": 4.0,
        "jobs_per_s": 0.5,
        "apply_to_start_s": {"p50": pytest.approx(0.75), "p99": pytest.approx(0.995), "max": pytest.approx(1.0)},
        "apply_to_finished_s": {"p50": pytest.approx(2.4), "p99": pytest.approx(3.772), "max": pytest.approx(3.8)},
    }
