"""Who waits for whom before a message is sent."""

import asyncio

import pytest

from recon_operator.act import send_order
from recon_operator.act.send_order import SendOrder


class Senders:
    """Jobs that have joined a line, each sent as soon as its turn has come and its own work is done."""

    def __init__(self, *uids: str, gpu_class: str = "any") -> None:
        self.order, self.sent = SendOrder(), list[str]()
        for uid in uids:
            self.order.join(uid, gpu_class)

    async def send(self, uid: str, *, slow: int = 0) -> None:
        for _ in range(slow):
            await asyncio.sleep(0)
        await self.order.wait_turn(uid)
        self.sent.append(uid)
        self.order.leave(uid)


async def test_a_quick_pass_does_not_overtake_a_slow_one() -> None:
    senders = Senders("first", "second", "third")
    await asyncio.gather(senders.send("third"), senders.send("second", slow=5), senders.send("first", slow=20))
    assert senders.sent == ["first", "second", "third"]


async def test_a_job_that_leaves_unsent_holds_up_nobody() -> None:
    senders = Senders("first", "second")
    senders.order.leave("first")
    await senders.send("second")
    assert senders.sent == ["second"]


async def test_a_job_of_another_gpu_class_is_not_waited_for() -> None:
    senders = Senders("first")
    senders.order.join("other", "h200")
    await senders.send("other")
    assert senders.sent == ["other"]


async def test_a_job_that_is_in_no_line_is_sent_at_once() -> None:
    senders = Senders("first")
    await senders.send("again")
    assert senders.sent == ["again"]


async def test_a_job_that_stays_in_the_line_is_waited_for_no_longer_than_the_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(send_order, "LONGEST_WAIT_S", 0.01)
    senders = Senders("stuck", "second")
    await senders.send("second")
    assert senders.sent == ["second"]
