"""What passes from the channel of remote control to Celery."""

from collections.abc import Callable
from typing import Any

import pytest

from recon_worker.messages.control_message import checked_control
from recon_worker.messages.faults import MessageRefusedError
from tests.support.messages import FOREIGN_ORDERS, UID, control_message, decoded, raw

REVOCATION = {"task_id": f"{UID}.1", "terminate": True, "signal": "SIGKILL"}

ASKER = {"reply_to": {"exchange": "reply.celery.pidbox", "routing_key": UID}, "ticket": UID}


@pytest.mark.parametrize(("fault", "make"), FOREIGN_ORDERS.values(), ids=FOREIGN_ORDERS)
def test_what_nobody_here_orders_is_refused(fault: str, make: Callable[[], bytes]) -> None:
    with pytest.raises(MessageRefusedError) as refused:
        checked_control(make())
    assert refused.value.fault == fault


@pytest.mark.parametrize(
    ("sent", "arguments"),
    [
        pytest.param(control_message("revoke", REVOCATION), REVOCATION, id="a revocation by the operator"),
        pytest.param(control_message("revoke", REVOCATION | {"new": 1}), REVOCATION, id="one by a newer operator"),
        pytest.param(control_message("ping", {}, **ASKER), {}, id="an administrator's ping"),
        pytest.param(control_message("active", {"safe": None}, **ASKER), {}, id="a question with arguments"),
        pytest.param(control_message("stats", None, destination=["w"], **ASKER), {}, id="a question to one worker"),
    ],
)
def test_what_is_ordered_here_passes(sent: dict[str, Any], arguments: dict[str, Any]) -> None:
    _, before = decoded(raw(sent))
    passed = checked_control(raw(sent))
    _, after = decoded(passed)
    assert after["arguments"] == arguments
    kept = ("method", "destination", "reply_to", "ticket")
    assert {name: after.get(name) for name in kept} == {name: before.get(name) for name in kept}
    assert decoded(checked_control(passed))[1] == after
