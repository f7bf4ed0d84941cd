"""Attempts that were sent, as a table of sentences."""

from datetime import timedelta

import pytest

from recon_api.resource import ReconstructionJob
from recon_api.status import (
    Phase,
)
from recon_operator.decide import decide
from recon_operator.decide.decision import (
    AuthoriseAttempt,
)
from recon_operator.decide.observation import Observation
from tests.operator.builders import NOW, OWNER, alive, make_observation
from tests.operator.decisions import LIMITS, RUNS, SENT, UNKNOWN, Expected, outcome, send

ROWS = [
    pytest.param(
        SENT,
        make_observation(waits_in_queue=True),
        Expected(Phase.QUEUED, finalizer=True),
        id="a message in the queue is waited for",
    ),
    pytest.param(
        SENT,
        make_observation(silent_s=24.9),
        Expected(Phase.QUEUED, finalizer=True),
        id="a message that is nowhere may be on its way",
    ),
    pytest.param(
        SENT,
        make_observation(silent_s=25.0),
        Expected(Phase.QUEUED, (send(SENT, 1),), finalizer=True),
        id="a message that stays nowhere is sent again, with the same number",
    ),
    pytest.param(
        SENT,
        make_observation(unsent=True),
        Expected(Phase.QUEUED, (send(SENT, 1),), ("Dispatched",), finalizer=True),
        id="a message that is known not to be sent is sent at once, and an event says so then",
    ),
    pytest.param(
        SENT,
        UNKNOWN,
        Expected(Phase.QUEUED, finalizer=True),
        id="an unclaimed attempt stays as it is while Redis does not answer",
    ),
    pytest.param(
        SENT,
        make_observation(authorised=None, waits_in_queue=True),
        Expected(Phase.QUEUED, (AuthoriseAttempt(1),), finalizer=True),
        id="a forgotten authorisation is written again",
    ),
    pytest.param(
        SENT,
        alive(),
        Expected(Phase.RUNNING, reasons=("Started",), finalizer=True),
        id="an attempt with a claim and a lease runs",
    ),
    pytest.param(
        SENT,
        make_observation(claim=OWNER),
        Expected(Phase.QUEUED, finalizer=True),
        id="a claim without a lease does not run yet",
    ),
    pytest.param(RUNS, alive(), Expected(Phase.RUNNING, finalizer=True), id="a running attempt goes on"),
    pytest.param(
        RUNS,
        UNKNOWN,
        Expected(Phase.RUNNING, finalizer=True),
        id="a running attempt stays as it is while Redis does not answer",
    ),
    pytest.param(
        RUNS,
        alive(authorised=None),
        Expected(Phase.RUNNING, (AuthoriseAttempt(1),), finalizer=True),
        id="a running attempt is authorised again after Redis lost everything",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


@pytest.mark.parametrize(
    ("job", "seen", "in_s"),
    [
        pytest.param(RUNS, alive(), 10, id="a running attempt's lease is read every ten seconds"),
        pytest.param(RUNS, make_observation(claim=OWNER), 5, id="a silent attempt is read more often"),
        pytest.param(RUNS, UNKNOWN, 5, id="Redis is asked again"),
    ],
)
def test_when_the_job_is_looked_at_again(job: ReconstructionJob, seen: Observation, in_s: float) -> None:
    assert decide(job, seen, NOW, LIMITS).look_again_at == NOW + timedelta(seconds=in_s)
