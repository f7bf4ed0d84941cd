"""Which jobs wait and which are sent, as a table of sentences."""

import pytest

from recon_api.keys import task_id
from recon_api.resource import ReconstructionJob
from recon_api.status import (
    ConditionType,
    Phase,
)
from recon_operator.decide import decide
from recon_operator.decide.observation import Observation
from tests.operator.builders import NOW, UID, make_job, make_observation, queued
from tests.operator.decisions import FREE, LIMITS, NEW, NOBODY, Expected, outcome, send

SUSPENDED = make_job(suspend=True)


ROWS = [
    pytest.param(NEW, NOBODY, Expected(Phase.QUEUED, reasons=("Queued",), attempts=0), id="a new job is queued"),
    pytest.param(
        NEW,
        make_observation(attempt=0, workers=0),
        Expected(Phase.QUEUED, reasons=("NoWorkers",), attempts=0),
        id="a new job says that no worker is connected",
    ),
    pytest.param(
        NEW,
        Observation(known=False),
        Expected(Phase.QUEUED, reasons=("Queued",), attempts=0),
        id="a new job is queued while Redis does not answer",
    ),
    pytest.param(
        NEW,
        FREE,
        Expected(Phase.QUEUED, (send(NEW, 1),), ("Dispatched",), finalizer=True),
        id="a new job is sent at once where a worker is free",
    ),
    pytest.param(
        make_job(status=queued()),
        NOBODY,
        Expected(Phase.QUEUED, attempts=0),
        id="a queued job goes on waiting without a word",
    ),
    pytest.param(
        make_job(status=queued(phase=Phase.SUSPENDED)),
        NOBODY,
        Expected(Phase.QUEUED, reasons=("Queued",), attempts=0),
        id="a resumed job is queued again",
    ),
]


@pytest.mark.parametrize(("job", "seen", "expected"), ROWS)
def test_decide(job: ReconstructionJob, seen: Observation, expected: Expected) -> None:
    assert outcome(decide(job, seen, NOW, LIMITS)) == expected


def test_a_job_that_waits_while_redis_refuses_the_operator_says_so() -> None:
    status = decide(make_job(), Observation(known=False, refusal="wrong password"), NOW, LIMITS).status
    assert (status.phase, status.message) == (Phase.QUEUED, "The job waits; Redis refuses the operator: wrong password")


def test_a_job_that_is_sent_at_once_is_described_by_one_write() -> None:
    status = decide(NEW, FREE, NOW, LIMITS).status
    assert (status.task_id, status.observed_generation, status.model) == (task_id(UID, 1), 1, "synthetic")
    assert [attempt.number for attempt in status.attempts] == [1]
    assert [(c.type, c.status, c.reason) for c in status.conditions] == [
        (ConditionType.QUEUED, "True", "Dispatched"),
        (ConditionType.READY, "False", "Progressing"),
        (ConditionType.RECONCILING, "True", "Progressing"),
    ]
