"""What is said of writes that the API server refuses, and when the operator is not ready for them."""

from collections.abc import Sequence
from contextlib import suppress

import pytest

from recon_api.resource import ReconstructionJob
from recon_operator.act.events import EventPublisher
from recon_operator.act.refused_writes import EVENT_INTERVAL_S, TOLERATED, UNREADY_AFTER_S, RefusedWrites
from recon_operator.clients.kubernetes_api import (
    ConflictError,
    GoneError,
    KubernetesError,
    RefusedError,
    ServerFailedError,
    ThrottledError,
    UnavailableError,
)
from recon_operator.decide.decision import Event
from tests.operator.builders import make_job

ONE, TWO = make_job(uid="1", namespace="red"), make_job(uid="2", namespace="blue")
REFUSED = RefusedError("403: no")


class Said(EventPublisher):
    """Events that are kept."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def publish(self, job: ReconstructionJob, event: Event) -> None:
        self.messages.append(f"{job.uid} {event.reason.name}")


class World:
    """Refused writes, by a clock that the test moves."""

    def __init__(self, namespaces: int = 0) -> None:
        self.now, self.said = 100.0, Said()
        self.refused = RefusedWrites(self.said, lambda: self.now, namespaces=namespaces)

    def write(self, job: ReconstructionJob, *errors: KubernetesError | None) -> None:
        for error in errors:
            with suppress(KubernetesError), self.refused.recorded(job):
                if error:
                    raise error


@pytest.mark.parametrize(
    ("errors", "said"),
    [
        pytest.param([REFUSED] * TOLERATED, False, id="a few refusals mend themselves"),
        pytest.param([REFUSED] * (TOLERATED + 1), True, id="more are said"),
        pytest.param([ServerFailedError("500: too large")] * 3, True, id="so is a failure of the store"),
        pytest.param([ThrottledError("429", 1.0)] * 3, True, id="so is being asked to wait again and again"),
        pytest.param([UnavailableError("no answer")] * 9, False, id="no Event reaches a server that does not answer"),
        pytest.param(
            [REFUSED, REFUSED, None, REFUSED, REFUSED], False, id="a write between them begins the count again"
        ),
        pytest.param([REFUSED, REFUSED, ConflictError("409"), REFUSED], False, id="so does a job that has changed"),
    ],
)
def test_what_is_said(errors: Sequence[KubernetesError | None], said: bool) -> None:
    world = World()
    world.write(ONE, *errors)
    assert (world.said.messages, len(world.refused)) == ((["1 StatusNotWritten"], 1) if said else ([], 0))


def test_it_is_said_again_now_and_then() -> None:
    world = World()
    world.write(ONE, *[REFUSED] * 9)
    world.now += EVENT_INTERVAL_S
    world.write(ONE, *[REFUSED] * 9)
    assert len(world.said.messages) == 2


@pytest.mark.parametrize(
    ("namespaces", "refused", "then", "unready"),
    [
        pytest.param(0, [ONE, TWO], None, True, id="jobs in two namespaces"),
        pytest.param(0, [ONE], None, False, id="one job, which may be too large"),
        pytest.param(
            0, [ONE, make_job(uid="3", namespace="red")], None, False, id="one namespace, as by a policy of its own"
        ),
        pytest.param(1, [ONE, make_job(uid="3", namespace="red")], None, True, id="the only namespace that is watched"),
        pytest.param(0, [ONE, TWO], make_job(uid="4"), False, id="another job is written"),
    ],
)
def test_when_the_operator_is_not_ready(
    namespaces: int, refused: list[ReconstructionJob], then: ReconstructionJob | None, unready: bool
) -> None:
    world = World(namespaces)
    for job in refused:
        world.write(job, *[REFUSED] * 5)
    assert world.refused.unready_for_s() == 0.0
    world.now += UNREADY_AFTER_S + 1
    if then:
        world.write(then, None)
    assert bool(world.refused.unready_for_s()) is unready


@pytest.mark.parametrize("error", [GoneError("404"), ConflictError("409")])
def test_a_job_that_is_gone_or_has_changed_is_not_refused(error: KubernetesError) -> None:
    world = World()
    world.write(ONE, *[REFUSED] * 5, error)
    assert len(world.refused) == 0
