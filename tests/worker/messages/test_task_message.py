"""What passes from the queue to Celery: what the operator sends, and nothing else."""

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.transport.virtual import Channel, Message

from recon_api.keys import DISCARD_TASK_NAME, TASK_NAME
from recon_api.payload import TaskPayload
from recon_worker.messages.faults import MessageRefusedError
from recon_worker.messages.plain_json import decode_json_plainly
from recon_worker.messages.task_message import checked_task
from tests.support.messages import (
    FOREIGN,
    QUEUE,
    attempt_message,
    changed,
    decoded,
    discard_message,
    raw,
    with_kwargs,
)


@pytest.mark.parametrize(("fault", "make"), FOREIGN.values(), ids=FOREIGN)
def test_what_nobody_here_sends_is_refused(fault: str, make: Callable[[], bytes]) -> None:
    with pytest.raises(MessageRefusedError) as refused:
        checked_task(make(), QUEUE)
    assert refused.value.fault == fault


def test_a_refusal_tells_no_value_of_the_message() -> None:
    secret = "hunter2"
    for path in ("headers/task", "headers/id", "headers/eta", "content-type", "properties/delivery_tag", "body"):
        with pytest.raises(MessageRefusedError) as refused:
            checked_task(raw(changed(attempt_message(), path, f"{secret}!")), QUEUE)
        assert secret not in str(refused.value)
    with pytest.raises(MessageRefusedError) as refused:
        checked_task(raw(with_kwargs(attempt=secret, parameters=secret)), QUEUE)
    assert secret not in str(refused.value)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(attempt_message(), id="an attempt"),
        pytest.param(attempt_message(attempt=12, parameters={"a": [1, 2.5, None, "ü"]}), id="a later one"),
        pytest.param(with_kwargs(added="by a newer operator"), id="an attempt with a field more"),
        pytest.param(changed(attempt_message(), "headers/new", {"a": 1}), id="an attempt with a header more"),
        pytest.param(changed(attempt_message(), "headers/redelivered", True), id="an attempt that was put back"),
        pytest.param(changed(attempt_message(), "properties/new", 1), id="an attempt with a property more"),
        pytest.param(discard_message(), id="a removal of steps"),
        pytest.param(discard_message(output_path="chair"), id="a removal of outputs"),
    ],
)
def test_what_the_operator_sends_passes(sent: dict[str, Any]) -> None:
    passed = checked_task(raw(sent), QUEUE)
    before, (_, kwargs, _) = decoded(raw(sent))
    after, (args, passed_kwargs, _) = decoded(passed)
    assert {name: after["headers"][name] for name in ("task", "id")} == {
        name: before["headers"][name] for name in ("task", "id")
    }
    assert args == []
    assert passed_kwargs == {name: value for name, value in kwargs.items() if name != "added"}
    assert checked_task(passed, QUEUE) == passed  # it may be put back into the queue


def test_parameters_that_kombu_would_take_for_a_type_reach_the_task_as_they_are() -> None:
    parameters = {"__type__": "datetime", "__value__": "never"}
    passed = checked_task(raw(attempt_message(parameters=parameters)), QUEUE)
    assert decoded(passed)[1][1]["parameters"] == parameters


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the places of all values within a value."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, inner in items for place in places(inner, (*at, key)))]


def with_value(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    """Return a copy with another value at a place."""
    if not place:
        return new
    result = copy.copy(value)
    result[place[0]] = with_value(value[place[0]], place[1:], new)
    return result


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """Draw a good message in which values are others, keys are missing, or bytes are others."""
    sent = draw(st.sampled_from([attempt_message(), discard_message(), discard_message(output_path="chair")]))
    opened: Any = sent | {"body": json.loads(base64.b64decode(sent["body"]))}
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(opened)))
        opened = with_value(opened, place, draw(VALUES))
    if isinstance(opened, dict) and "body" in opened and draw(st.integers(0, 9)):
        opened = opened | {"body": base64.b64encode(json.dumps(opened["body"]).encode()).decode()}
    text = bytearray(raw(opened))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 5]))):
        text[draw(st.integers(0, len(text) - 1))] = draw(st.integers(0, 255))
    return bytes(text)


def as_celery_takes_it(passed: bytes) -> tuple[str, Any]:
    """Return the task and the arguments of a message that passed, decoded by kombu and Celery."""
    decode_json_plainly()
    channel = object.__new__(Channel)
    taken = Message(json.loads(passed), channel=channel, accept={"application/json"})  # type: ignore[no-untyped-call]
    args, kwargs, _ = taken.decode()  # type: ignore[no-untyped-call]
    assert args == []
    return taken.headers["task"], kwargs


@given(mutations())
def test_a_mutated_message_is_refused_or_is_a_task_of_ours(sent: bytes) -> None:
    try:
        passed = checked_task(sent, QUEUE)
    except MessageRefusedError:
        return
    task, kwargs = as_celery_takes_it(passed)
    assert task in (TASK_NAME, DISCARD_TASK_NAME)
    if task == TASK_NAME:
        TaskPayload.model_validate(kwargs)
    assert checked_task(passed, QUEUE) == passed


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(sent: bytes) -> None:
    with pytest.raises(MessageRefusedError):
        checked_task(sent, QUEUE)
