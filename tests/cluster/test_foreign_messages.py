"""Whatever somebody puts on the queue, or says over remote control: the worker is the same process, and runs the next job."""

import random
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import Celery
from redis import Redis

from recon_api.keys import (
    REFUSED_MESSAGE_CHARS,
    REFUSED_MESSAGES_KEPT,
    REFUSED_MESSAGES_KEY,
    attempt_key,
    queue_name,
    result_key,
)
from recon_api.payload import Outcome, RefusedMessage
from recon_api.steps import Step
from recon_operator.clients.fence import Fence
from recon_operator.clients.redis_state import RedisState
from tests.support.messages import (
    FOREIGN,
    FOREIGN_ORDERS,
    QUEUE,
    attempt_message,
    control_message,
    discard_message,
    raw,
)
from tests.support.ports import free_port
from tests.support.waiting import wait_for
from tests.support.worker_site import Site, running_site

pytestmark = pytest.mark.xdist_group("foreign_messages")  # they share a worker

CONTROL = "/0.celery.pidbox"

PUTTING_BACK = "unacked_mutex"
"""kombu's lock of a worker that puts messages back. Of one that is killed meanwhile it lasts for five minutes, and no other puts back."""

PORT = free_port()
"""Of the worker's metrics."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A Redis and one worker, which is still the same at the end."""
    with running_site(tmp_path_factory.mktemp("site")) as made:
        worker = made.start_worker(METRICS_PORT=str(PORT), METRICS_HOST="127.0.0.1")
        yield made
        assert worker.process.poll() is None
        assert made.workers == [worker]


def broker(site: Site) -> Redis:
    return Redis(port=site.port, db=0)


def refused(fault: str) -> float:
    """Return what the metric says of a kind of fault."""
    line = f'reconstruction_worker_messages_refused_total{{fault="{fault}"}} '
    with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics") as answer:
        found = [each for each in answer.read().decode().splitlines() if each.startswith(line)]
    return float(found[0].removeprefix(line))


def newest(site: Site) -> RefusedMessage:
    [entry] = site.redis.lrange(REFUSED_MESSAGES_KEY, 0, 0)
    return RefusedMessage.model_validate_json(entry)


def works(site: Site) -> None:
    assert site.submit(noop=True).wait_result().outcome is Outcome.COMPLETED


@pytest.mark.parametrize(("fault", "make"), FOREIGN.values(), ids=FOREIGN)
def test_a_message_that_nobody_here_sends_is_refused_once(site: Site, fault: str, make: Callable[[], bytes]) -> None:
    before, text = refused(fault), make()
    broker(site).lpush(QUEUE, text)
    wait_for("it is counted", lambda: refused(fault) == before + 1)
    entry = newest(site)
    assert (entry.worker, entry.source, entry.fault, entry.size_bytes) == ("worker-0", QUEUE, fault, len(text))
    assert len(entry.start) <= REFUSED_MESSAGE_CHARS
    assert not broker(site).exists(QUEUE, "unacked", "unacked_index")


@pytest.mark.parametrize(("fault", "make"), FOREIGN_ORDERS.values(), ids=FOREIGN_ORDERS)
def test_an_order_that_nobody_here_gives_is_refused(site: Site, fault: str, make: Callable[[], bytes]) -> None:
    before = refused(fault)
    assert broker(site).publish(CONTROL, make()) == 1
    wait_for("it is counted", lambda: refused(fault) == before + 1)
    assert (newest(site).source, newest(site).fault) == ("remote control", fault)


def test_jobs_run_after_all_of_that(site: Site) -> None:
    for _, make in FOREIGN.values():
        broker(site).lpush(QUEUE, make())
    works(site)


def test_mutations_of_good_messages_end_no_worker(site: Site) -> None:
    chance = random.Random(20261128)
    for _ in range(300):
        text = bytearray(raw(chance.choice([attempt_message(), discard_message(), discard_message(output_path="a")])))
        for _ in range(chance.choice([1, 1, 2, 8])):
            at = chance.randrange(len(text))
            text[at : at + chance.choice([0, 1, 1, 40])] = bytes(
                chance.choices(b'{}[]":,019aZ=\\\xff\x00', k=chance.choice([0, 1, 3]))
            )
        broker(site).lpush(QUEUE, bytes(text))
        broker(site).publish(CONTROL, bytes(text))
    works(site)
    wait_for("all are taken", lambda: not broker(site).exists(QUEUE))


def test_the_list_of_refused_messages_is_bounded(site: Site) -> None:
    for number in range(REFUSED_MESSAGES_KEPT + 20):
        broker(site).lpush(QUEUE, f"{number}: {'x' * 50_000}")
    wait_for("the last is set aside", lambda: newest(site).start.startswith(f"{REFUSED_MESSAGES_KEPT + 19}:"))
    entries = site.redis.lrange(REFUSED_MESSAGES_KEY, 0, -1)
    assert len(entries) == REFUSED_MESSAGES_KEPT
    assert max(map(len, entries)) < 2 * REFUSED_MESSAGE_CHARS


def test_the_log_says_each_fault_once_in_a_while(site: Site) -> None:
    lines = [line for line in site.workers[0].log.read_text().splitlines() if "refused a message" in line]
    assert lines
    assert len(lines) < 100  # several hundred were refused
    assert not any("xxxx" in line or "Traceback" in line for line in lines)


def test_messages_of_each_priority_are_checked(site: Site) -> None:
    for priority in (3, 6, 9):
        before = refused("NotJson")
        broker(site).lpush(f"{QUEUE}\x06\x16{priority}", "hello")
        wait_for("it is counted", lambda: refused("NotJson") == before + 1)  # noqa: B023 - it is called here only
        assert newest(site).source == QUEUE


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param({"__type__": "datetime", "__value__": "never"}, id="kombu takes for a date that is none"),
        pytest.param({"__type__": "decimal", "__value__": "1"}, id="kombu takes for a number"),
        pytest.param({"inner": {"__type__": "nonsense", "__value__": 1}}, id="kombu does not know"),
    ],
)
def test_a_job_whose_parameters_fails_of_its_own(site: Site, parameters: dict[str, Any]) -> None:
    result = site.submit(**parameters).wait_result()
    assert (result.outcome, result.reason) == (Outcome.FAILED, "ParametersRejected")


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param(b"hello", id="that is no JSON"),
        pytest.param(b"[" * 100_000, id="of lists within lists"),
        pytest.param(b"[1, 2, 3]", id="of numbers"),
        pytest.param(raw([None, "", QUEUE]), id="that is null"),
        pytest.param(raw([attempt_message(), "", "workers"]), id="of another list"),
    ],
)
def test_an_unacknowledged_message_is_dropped(site: Site, entry: bytes) -> None:
    """kombu puts such back when a worker starts; one that it can't read would end each worker that starts."""
    broker(site).hset("unacked", "tag", entry)
    broker(site).zadd("unacked_index", {"tag": 1})
    other = site.start_worker()
    try:
        wait_for("it is gone", lambda: not broker(site).exists("unacked", "unacked_index", PUTTING_BACK))
        assert newest(site).source == "unacknowledged"
    finally:
        other.kill()
        site.workers.remove(other)


def test_an_unacknowledged_message_of_the_operators_is_put_back(site: Site) -> None:
    uid = str(uuid.uuid4())
    site.redis.set(attempt_key(uid), 1)
    broker(site).hset("unacked", "tag", raw([attempt_message(uid), "", QUEUE]))
    broker(site).zadd("unacked_index", {"tag": 1})
    other = site.start_worker()
    try:
        wait_for("the job runs", lambda: site.redis.exists(result_key(uid, 1)))
        wait_for("nobody puts back", lambda: not broker(site).exists(PUTTING_BACK))
    finally:
        other.kill()
        site.workers.remove(other)


def test_what_the_operator_and_an_administrator_order_is_done(site: Site) -> None:
    job = site.submit(seconds=60)
    job.wait_step(Step.PREPROCESSING)
    asker = Celery(broker=f"{site.url}/0")
    active = asker.control.inspect(timeout=5, limit=1).active()
    assert [task["id"] for tasks in active.values() for task in tasks] == [f"{job.uid}.1"]
    assert asker.control.inspect(timeout=5, limit=1).ping()
    asker.close()
    site.kill_attempt(job)
    assert job.wait_result().reason == "WorkerCrashed"
    works(site)


def test_messages_are_still_checked_when_redis_was_away(site: Site) -> None:
    """kombu chooses its transport again when it connects again."""
    site.redis.client_kill_filter(_type="normal", skipme=True)
    site.redis.client_kill_filter(_type="pubsub")
    works(site)
    before = refused("Body"), refused("Control")
    broker(site).lpush(QUEUE, FOREIGN["a body that is null"][1]())
    wait_for("the worker listens again", lambda: broker(site).publish(CONTROL, raw(control_message("shutdown", {}))))
    wait_for("both are refused", lambda: (refused("Body"), refused("Control") > before[1]) == (before[0] + 1, True))


@pytest.mark.parametrize("key", [QUEUE, f"{QUEUE}\x06\x163"])
def test_a_queue_that_is_no_list_is_made_way_with(site: Site, key: str) -> None:
    before = refused("Queue")
    broker(site).set(key, "hello")
    wait_for("it is counted", lambda: refused("Queue") == before + 1)
    assert (newest(site).source, newest(site).fault) == (QUEUE, "Queue")
    works(site)


async def test_the_operator_finds_its_own_messages_between_such(site: Site) -> None:
    uid, pool = str(uuid.uuid4()), "without-workers"
    for sent in (raw(attempt_message(uid)), *(make() for _, make in FOREIGN.values())):
        broker(site).lpush(queue_name(pool), sent)
    state = RedisState(f"{site.url}/0", f"{site.url}/0", 1, 5, Fence.always_open())
    assert f"{uid}.1" in (await state.read([], [pool])).waiting
    await state.close()
