"""What becomes of a message that is refused."""

import logging
from typing import NoReturn

import pytest
from redis.exceptions import ConnectionError  # noqa: A004 - the builtin is not meant here

from recon_api.keys import REFUSED_MESSAGE_CHARS
from recon_api.payload import RefusedMessage
from recon_worker.messages.faults import Fault, MessageRefusedError
from recon_worker.messages.refusals import LOG_AGAIN_S, Refusals
from tests.support.clocks import SettableClock


def refusing(fault: Fault) -> MessageRefusedError:
    return MessageRefusedError(fault, "field: type")


def test_it_is_counted_and_the_beginning_of_it_is_set_aside() -> None:
    kept: list[RefusedMessage] = []
    refusals = Refusals(kept.append, "w")
    refusals.add(b"\xff" + b"a" * 5000, "queue", refusing(Fault.NOT_JSON))
    [entry] = kept
    assert (entry.worker, entry.source, entry.fault, entry.detail) == ("w", "queue", "NotJson", "field: type")
    assert entry.size_bytes == 5001
    assert entry.start.startswith("\\xffaaa")
    assert len(entry.start) == REFUSED_MESSAGE_CHARS
    assert {fault: count for fault, count in refusals.counts.items() if count} == {"NotJson": 1}
    assert set(refusals.counts) == set(Fault)  # a counter that begins at 1 would raise no alert


def test_each_fault_is_logged_once_a_minute_with_how_many_there_were(caplog: pytest.LogCaptureFixture) -> None:
    clock = SettableClock()
    refusals = Refusals(lambda _: None, "w", clock)
    with caplog.at_level(logging.WARNING):
        for fault in (Fault.BODY, Fault.BODY, Fault.TASK_ID, Fault.BODY, Fault.TASK_ID):
            refusals.add(b"a secret", "queue", refusing(fault))
        assert [record.args[2] for record in caplog.records if record.args] == [Fault.BODY, Fault.TASK_ID]  # type: ignore[index]
        clock.now += LOG_AGAIN_S
        refusals.add(b"a secret", "queue", refusing(Fault.BODY))
    assert "3 of this kind since this was last said" in caplog.messages[-1]
    assert not any("a secret" in message for message in caplog.messages)


def test_a_redis_that_does_not_take_it_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: RefusedMessage) -> NoReturn:
        raise ConnectionError("away")

    refusals = Refusals(fail, "w")
    refusals.add(b"x", "queue", refusing(Fault.BODY))
    assert refusals.counts["Body"] == 1
    assert "could not be set aside: away" in caplog.text


def test_a_mistake_in_a_check_refuses_the_message_and_nothing_else() -> None:
    def check(_: bytes) -> bytes:
        raise ZeroDivisionError

    kept: list[RefusedMessage] = []
    assert Refusals(kept.append, "w").passed(b"x", "queue", check) is None
    assert [(entry.fault, entry.detail) for entry in kept] == [("Unexpected", "ZeroDivisionError")]
