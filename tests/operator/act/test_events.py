"""The bodies of Kubernetes Events."""

from datetime import timedelta

import pytest

from recon_api.reasons import DISPATCHED, STARTED
from recon_operator.act.events import LONGEST_NOTE, event_body
from recon_operator.decide.decision import Event
from tests.operator.builders import NOW, make_job


@pytest.mark.parametrize(
    "later",
    [
        pytest.param(timedelta(), id="at the same moment"),
        pytest.param(timedelta(microseconds=1), id="a moment later"),
        pytest.param(timedelta(days=400), id="a year later"),
    ],
)
def test_the_events_of_a_job_are_listed_in_the_order_in_which_they_happened(later: timedelta) -> None:
    first = event_body(make_job(), Event(STARTED, "Attempt 1 runs"), NOW)
    second = event_body(make_job(), Event(DISPATCHED, "Attempt 2 is sent"), NOW + later)
    assert first["metadata"]["name"] < second["metadata"]["name"]


def test_an_event_is_no_longer_than_the_api_allows() -> None:
    body = event_body(make_job(name="n" * 253), Event(STARTED, "x" * 5000), NOW)
    assert len(body["note"].encode()) == LONGEST_NOTE
    assert len(body["metadata"]["name"]) <= 253
