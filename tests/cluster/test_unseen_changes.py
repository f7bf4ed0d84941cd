"""Jobs that are created and changed while the operator is away end as the facts say, whatever happened in between."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from recon_api.status import CancellationState, Phase, ReconstructionJobStatus
from tests.support.control_plane import ControlPlane
from tests.support.jobs import Job, lasting, make_job
from tests.support.system import System

Change = Mapping[str, Any]
SUSPEND, RESUME = {"suspend": True}, {"suspend": False}
REQUEST, WITHDRAW, CONFIRM = {"cancellation": "Requested"}, {"cancellation": None}, {"cancellation": "Confirmed"}

CASES: dict[str, tuple[Change, Sequence[Change], Phase]] = {
    "suspended-resumed": ({"suspend": True}, [RESUME], Phase.SUCCEEDED),
    "resumed-suspended": ({}, [SUSPEND, RESUME, SUSPEND], Phase.SUSPENDED),
    "priority-twice": ({"priority": 1}, [{"priority": 1000}, {"priority": -1000}], Phase.SUCCEEDED),
    "requested-withdrawn": ({}, [REQUEST, WITHDRAW], Phase.SUCCEEDED),
    "requested-at-creation": (REQUEST, [WITHDRAW], Phase.SUCCEEDED),
    "confirmed-at-last": ({}, [REQUEST, WITHDRAW, REQUEST, CONFIRM], Phase.CANCELLED),
    "suspended-confirmed": ({"suspend": True}, [REQUEST, CONFIRM, RESUME], Phase.CANCELLED),
    "all-of-it": ({"suspend": True}, [REQUEST, RESUME, WITHDRAW, SUSPEND, {"priority": 7}, RESUME], Phase.SUCCEEDED),
}
"""Name of a job, what it is created with, how it is changed before anybody looks, and the phase it ends in."""


PRIORITIES: dict[str, Sequence[Change]] = {
    "behind": [{"priority": 9}, {"priority": -9}],
    "next": [{"priority": -10}, {"priority": 3}],
}
"""How the priorities of two jobs that no worker takes are changed before anybody looks; the first one has 1 at first."""


def change(job: Job, changes: Sequence[Change]) -> None:
    """Change a job, one change after the other; each must be accepted."""
    for each in changes:
        done = job.patch(**each)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def shared_system(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The module's system, whose operator starts when the jobs of `CASES` and those of no worker are changed."""
    with ExitStack() as stack:
        system = System(control_plane, tmp_path_factory.mktemp("unseen"))
        stack.callback(system.stop)
        for name, (spec, changes, _) in CASES.items():
            change(system.submit(make_job(name, **spec)), changes)
        for name, changes in PRIORITIES.items():
            priority = {"priority": 1} if name == "behind" else {}
            change(system.submit(make_job(name, gpuClass="absent", **priority)), changes)
        deleted = system.submit(make_job("created-deleted"))
        deleted.delete()
        yield system.start()
        assert system.refusals() == []


@pytest.mark.parametrize("name", CASES)
def test_a_job_created_while_the_operator_is_away(shared_system: System, name: str) -> None:
    phase = CASES[name][2]
    status = shared_system.job(name).wait_phase(phase)
    assert status.execution_attempts == (1 if phase is Phase.SUCCEEDED else 0)
    assert status.observed_generation == (shared_system.job(name).object() or {})["metadata"]["generation"]
    if phase is Phase.CANCELLED:
        assert status.cancellation is not None
        assert status.cancellation.state is CancellationState.CANCELLED
    else:
        assert status.cancellation is None, "a request that nobody saw is no part of the story"


def test_a_job_created_and_deleted_while_the_operator_is_away_is_gone(shared_system: System) -> None:
    shared_system.job("created-deleted").wait_gone()


def test_the_last_priority_counts(shared_system: System) -> None:
    def is_in_place(place: int) -> Any:
        return lambda status: status.queue is not None and status.queue.position == place

    shared_system.job("next").wait_until("is next", is_in_place(1))
    shared_system.job("behind").wait_until("is behind", is_in_place(2))


def ran_once(status: ReconstructionJobStatus) -> None:
    assert (status.phase, [a.reason for a in status.attempts]) == (Phase.SUCCEEDED, ["Completed"])


def is_cancelled(status: ReconstructionJobStatus) -> None:
    assert (status.phase, [a.reason for a in status.attempts]) == (Phase.CANCELLED, ["Cancelled"])
    assert status.cancellation is not None
    assert status.cancellation.state is CancellationState.CANCELLED


def is_suspended(status: ReconstructionJobStatus) -> None:
    assert (status.phase, [a.reason for a in status.attempts]) == (Phase.SUSPENDED, ["Suspended"])


@pytest.mark.parametrize(
    ("lasts_s", "changes", "phase", "check"),
    [
        pytest.param(10, [SUSPEND, RESUME], Phase.SUCCEEDED, ran_once, id="suspended and resumed"),
        pytest.param(300, [SUSPEND, RESUME, SUSPEND], Phase.SUSPENDED, is_suspended, id="suspended in the end"),
        pytest.param(10, [REQUEST, WITHDRAW], Phase.SUCCEEDED, ran_once, id="requested and withdrawn"),
        pytest.param(
            300, [REQUEST, WITHDRAW, REQUEST, CONFIRM], Phase.CANCELLED, is_cancelled, id="confirmed in the end"
        ),
    ],
)
def test_a_running_job_changed_while_the_operator_is_away(
    breakable_system: System,
    request: pytest.FixtureRequest,
    lasts_s: float,
    changes: Sequence[Change],
    phase: Phase,
    check: Any,
) -> None:
    name = f"ran-{request.node.callspec.indices['check']}"
    # What must be stopped lasts until the operator is back.
    job = breakable_system.submit(make_job(name, parameters=lasting(lasts_s)))
    job.wait_phase(Phase.RUNNING)
    breakable_system.operator.kill()
    change(job, changes)
    breakable_system.operator.start()
    check(job.wait_phase(phase))
