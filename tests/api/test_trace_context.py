"""The trace of a job: ids that follow from its UID, and what of a message is one."""

import subprocess
import sys
from typing import Any

import pytest

from recon_api.payload import TaskPayload
from recon_api.trace_context import attempt_span_id, job_span_id, parse_traceparent, trace_id, traceparent

UID = "7a4fe1f2-8f4f-4d0b-9f3a-3f2a3e1c5b10"
GOOD = traceparent(UID, 1, sampled=True)


def test_what_is_written_is_read() -> None:
    assert parse_traceparent(GOOD) == (trace_id(UID), attempt_span_id(UID, 1), 1)
    assert parse_traceparent(traceparent(UID, 1, sampled=False)) == (trace_id(UID), attempt_span_id(UID, 1), 0)


def test_each_span_has_its_own_id() -> None:
    ids = {job_span_id(UID), *(attempt_span_id(UID, number) for number in range(1, 100))}
    assert len(ids) == 100


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(None, id="nothing"),
        pytest.param("", id="no text"),
        pytest.param(GOOD.upper(), id="capitals"),
        pytest.param(GOOD + "\n", id="a line break"),
        pytest.param(GOOD + "-00" * 5000, id="a long one"),
        pytest.param("01" + GOOD[2:], id="a version that is not known"),
        pytest.param(f"00-{'0' * 32}-{'1' * 16}-01", id="a trace without an id"),
        pytest.param(f"00-{'1' * 32}-{'0' * 16}-01", id="a span without an id"),
        pytest.param(7, id="a number"),
    ],
)
def test_what_is_no_traceparent_is_dropped_and_the_job_is_not(text: Any) -> None:
    payload = TaskPayload(job_id=UID, namespace="shop", name="chair", attempt=1, traceparent=text)
    assert payload.traceparent is None


def test_a_traceparent_travels() -> None:
    payload = TaskPayload(job_id=UID, namespace="shop", name="chair", attempt=1, traceparent=GOOD)
    assert TaskPayload.model_validate_json(payload.model_dump_json()).traceparent == GOOD


@pytest.mark.slow
@pytest.mark.parametrize("module", ["recon_operator.__main__", "recon_worker.task"])
def test_nothing_that_sends_traces_is_imported_unless_it_is_asked_for(module: str) -> None:
    """redis-py imports OpenTelemetry's metrics by itself, where they are installed."""
    code = f"import sys, {module}; print([m for m in sys.modules if m.startswith('opentelemetry.exporter') or '.spans' in m])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
