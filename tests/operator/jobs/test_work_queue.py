"""Which jobs are handed out, and when."""

import pytest

from recon_operator.jobs.work_queue import WorkQueue
from tests.support.clocks import SettableClock


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock()


@pytest.fixture
def work(clock: SettableClock) -> WorkQueue:
    return WorkQueue(clock)


def test_a_job_named_twice_is_handed_out_once(work: WorkQueue) -> None:
    work.add("a")
    work.add("a")
    assert (work.take_due(10), work.take_due(10)) == (["a"], [])


def test_a_job_is_not_handed_out_while_it_is_worked_on(work: WorkQueue) -> None:
    work.add("a")
    work.take_due(10)
    work.add("a")
    assert work.take_due(10) == []
    work.done("a")
    assert work.take_due(10) == ["a"]


def test_a_job_that_is_done_is_not_handed_out_again(work: WorkQueue) -> None:
    work.add("a")
    work.take_due(10)
    work.done("a")
    assert work.take_due(10) == []


def test_of_several_times_the_earliest_counts(work: WorkQueue, clock: SettableClock) -> None:
    work.add_in("a", 5.0)
    work.add_in("a", 2.0)
    work.add_in("a", 9.0)
    clock.now += 2.0
    assert work.take_due(10) == ["a"]
    work.done("a")
    clock.now += 10.0
    assert work.take_due(10) == []


def test_the_longest_due_comes_first(work: WorkQueue, clock: SettableClock) -> None:
    work.add_in("late", 2.0)
    work.add_in("early", 1.0)
    clock.now += 3.0
    assert work.take_due(1) == ["early"]


def test_a_deadline_set_during_a_pass_is_kept(work: WorkQueue, clock: SettableClock) -> None:
    work.add("a")
    work.take_due(10)
    work.add_in("a", 5.0)
    work.done("a")
    assert work.take_due(10) == []
    clock.now += 5.0
    assert work.take_due(10) == ["a"]


def test_a_forgotten_job_is_not_handed_out(work: WorkQueue) -> None:
    work.add("a")
    work.forget("a")
    assert work.take_due(10) == []


async def test_waiting_ends_when_a_job_is_named() -> None:
    work = WorkQueue()
    work.add_in("a", 0.01)
    assert await work.take(10, timeout_s=60.0) == ["a"]


async def test_waiting_ends_when_something_else_has_changed() -> None:
    work = WorkQueue()
    work.poke()
    assert await work.take(10, timeout_s=60.0) == []


async def test_waiting_ends_after_its_time() -> None:
    assert await WorkQueue().take(10, timeout_s=0.01) == []
