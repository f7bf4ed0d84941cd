"""Who is sent, and in which place the others wait."""

import pytest

from recon_operator.scheduling.queue_order import in_order, plan, reported_position
from tests.operator.builders import make_job


@pytest.mark.parametrize(
    ("jobs", "running", "order"),
    [
        pytest.param(
            [("new", "a", 0, 1.0), ("old", "a", 0, 9.0)], {}, ["old", "new"], id="of equal priority the oldest is first"
        ),
        pytest.param(
            [("old", "a", 0, 9.0), ("urgent", "a", 5, 1.0)], {}, ["urgent", "old"], id="priority comes before age"
        ),
        pytest.param(
            [("a1", "a", 0, 9.0), ("a2", "a", 0, 8.0), ("b1", "b", 0, 1.0)],
            {},
            ["a1", "b1", "a2"],
            id="namespaces take turns",
        ),
        pytest.param(
            [("a1", "a", 0, 9.0), ("b1", "b", 0, 1.0), ("b2", "b", 0, 0.5)],
            {"a": 2},
            ["b1", "b2", "a1"],
            id="what runs already counts against its namespace",
        ),
        pytest.param(
            [("a1", "a", 1, 1.0), ("b1", "b", 0, 9.0)], {"a": 5}, ["a1", "b1"], id="priority comes before fair share"
        ),
        pytest.param(
            [("b", "a", 0, 5.0), ("a", "a", 0, 5.0)], {}, ["a", "b"], id="jobs of the same second keep one order"
        ),
    ],
)
def test_order(jobs: list[tuple[str, str, int, float]], running: dict[str, int], order: list[str]) -> None:
    waiting = [make_job(uid=uid, namespace=ns, priority=p, created_s_ago=age) for uid, ns, p, age in jobs]
    assert in_order(waiting, running) == order


@pytest.mark.parametrize(
    ("workers", "occupied", "reserved", "admitted"),
    [
        pytest.param(0, 0, 0, 0, id="without workers nobody is sent"),
        pytest.param(1, 0, 0, 2, id="each worker gets one to run and one to wait"),
        pytest.param(1, 1, 0, 1, id="a running job takes a slot"),
        pytest.param(2, 1, 2, 1, id="a job on its way takes a slot"),
        pytest.param(1, 5, 0, 0, id="more attempts than workers admit nobody"),
    ],
)
def test_window(workers: int, occupied: int, reserved: int, admitted: int) -> None:
    waiting = [make_job(uid=f"w{n}") for n in range(4)]
    occupying = [make_job(uid=f"o{n}") for n in range(occupied)]
    found = plan(waiting, occupying, workers, reserved)
    assert len(found.admitted) == admitted
    assert sorted(found.positions.values()) == list(range(1, 5 - admitted))


@pytest.mark.parametrize(
    ("place", "told"), [(1, 1), (10, 10), (11, 20), (20, 20), (100, 100), (101, 200), (4321, 5000)]
)
def test_far_places_are_told_roughly(place: int, told: int) -> None:
    assert reported_position(place) == told
