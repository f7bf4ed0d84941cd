"""Messages on a workers' queue: one as the operator's Celery writes it, and shapes that it never writes."""

import base64
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from recon_api.keys import DISCARD_TASK_NAME, TASK_NAME, discard_task_id, task_id
from recon_api.payload import DiscardPayload, TaskPayload

QUEUE = "reconstruction.any"
UID = "0f5c3a1e-0000-4000-8000-000000000012"

Message = dict[str, Any]

NOTHING_AFTERWARDS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}


def attempt_message(uid: str = UID, attempt: int = 1, **fields: Any) -> Message:
    """Return a message that asks for an attempt; `fields` are those of `TaskPayload`."""
    about = {"model_type": "synthetic", "namespace": "shop", "name": "chair", "parameters": {"noop": True}}
    payload = TaskPayload(job_id=uid, attempt=attempt, **about | fields)
    return message(TASK_NAME, task_id(uid, attempt), payload.model_dump(mode="json"))


def discard_message(uid: str = UID, output_path: str | None = None) -> Message:
    """Return a message that asks for the steps of a job to be removed, and for its outputs where they are named."""
    payload = DiscardPayload(job_id=uid, namespace="shop", output_path=output_path)
    identity = str(uuid.uuid4()) if output_path is None else discard_task_id(uid)
    return message(DISCARD_TASK_NAME, identity, payload.model_dump(mode="json", exclude_none=True))


def message(task: str, identity: str, kwargs: Mapping[str, Any]) -> Message:
    """Return a message as Celery writes it for a task with these keyword arguments."""
    return {
        "body": encoded([[], kwargs, NOTHING_AFTERWARDS]),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {
            "lang": "py",
            "task": task,
            "id": identity,
            "root_id": identity,
            "parent_id": None,
            "shadow": None,
            "eta": None,
            "expires": None,
            "group": None,
            "group_index": None,
            "retries": 0,
            "timelimit": [None, None],
            "argsrepr": "()",
            "kwargsrepr": repr(kwargs),
            "origin": "gen1@operator",
            "ignore_result": None,
            "replaced_task_nesting": 0,
            "stamped_headers": None,
            "stamps": {},
        },
        "properties": {
            "correlation_id": identity,
            "reply_to": str(uuid.uuid4()),
            "delivery_mode": 2,
            "priority": 0,
            "delivery_info": {"exchange": "", "routing_key": QUEUE},
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


def control_message(method: Any, arguments: Any, **order: Any) -> Message:
    """Return a message on the channel of remote control as Celery writes it."""
    body = {"method": method, "arguments": arguments, "destination": None, "pattern": None, "matcher": None}
    return {
        "body": encoded(body | order),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"clock": 1, "expires": 0},
        "properties": {
            "delivery_mode": 2,
            "delivery_info": {"exchange": "celery.pidbox", "routing_key": ""},
            "priority": 0,
            "body_encoding": "base64",
            "delivery_tag": str(uuid.uuid4()),
        },
    }


def encoded(body: Any) -> str:
    """Return a body as it stands in a message."""
    return base64.b64encode(json.dumps(body).encode()).decode()


def decoded(raw: bytes) -> tuple[Message, Any]:
    """Return a message and its body."""
    found = json.loads(raw)
    return found, json.loads(base64.b64decode(found["body"]))


def raw(value: Any) -> bytes:
    """Return what lies in Redis for a message."""
    return json.dumps(value).encode()


def changed(found: Message, path: str, value: Any) -> Message:
    """Return a copy with another value at `path`, such as `headers.eta`."""
    copy: Message = json.loads(json.dumps(found))
    *folders, name = path.split("/")
    inner: Any = copy
    for folder in folders:
        inner = inner[folder]
    inner[name] = value
    return copy


def without(found: Message, *paths: str) -> Message:
    """Return a copy in which these are missing."""
    copy: Message = json.loads(json.dumps(found))
    for path in paths:
        *folders, name = path.split("/")
        inner: Any = copy
        for folder in folders:
            inner = inner[folder]
        del inner[name]
    return copy


def with_body(body: Any) -> Message:
    """Return a message for an attempt with another body, which is encoded."""
    return changed(attempt_message(), "body", encoded(body))


def with_kwargs(**kwargs: Any) -> Message:
    """Return a message for an attempt with other values among its arguments."""
    _, (_, before, after) = decoded(raw(attempt_message()))
    return with_body([[], before | kwargs, after])


def with_text(text: bytes) -> Message:
    """Return a message for an attempt whose body is this text."""
    return changed(attempt_message(), "body", base64.b64encode(text).decode())


def _good() -> Message:
    return attempt_message()


FOREIGN: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "a text that is no JSON": ("NotJson", lambda: b"hello"),
    "an empty text": ("NotJson", lambda: b""),
    "bytes that are no text": ("NotJson", lambda: b"\xff\xfe\x00"),
    "half of a surrogate pair": ("NotJson", lambda: b'{"body": "\\ud800"}'),
    "a number that JSON has not": ("NotJson", lambda: b'{"body": NaN}'),
    "a number of 5,000 digits": ("NotJson", lambda: b"1" * 5000),
    "lists within lists, 100,000 deep": ("NotJson", lambda: b"[" * 100_000),
    "lists within lists, 500 deep": ("NotJson", lambda: b"[" * 500 + b"]" * 500),
    "a number": ("Envelope", lambda: b"42"),
    "null": ("Envelope", lambda: b"null"),
    "a list": ("Envelope", lambda: b"[1, 2]"),
    "an empty object": ("Envelope", lambda: b"{}"),
    "no properties": ("Envelope", lambda: raw(without(_good(), "properties"))),
    "no delivery tag": ("Envelope", lambda: raw(without(_good(), "properties/delivery_tag"))),
    "no delivery info": ("Envelope", lambda: raw(without(_good(), "properties/delivery_info"))),
    "a delivery tag that is a list": ("Envelope", lambda: raw(changed(_good(), "properties/delivery_tag", [1]))),
    "an encoding that kombu does not know": (
        "Envelope",
        lambda: raw(changed(_good(), "properties/body_encoding", "x")),
    ),
    "a priority that is a word": ("Envelope", lambda: raw(changed(_good(), "properties/priority", "high"))),
    "headers that are a list": ("Envelope", lambda: raw(changed(_good(), "headers", []))),
    "a body that is an object": ("Envelope", lambda: raw(changed(_good(), "body", {}))),
    "no body": ("Envelope", lambda: raw(without(_good(), "body"))),
    "an object that kombu takes for a date": ("Envelope", lambda: b'{"__type__": "datetime", "__value__": "never"}'),
    "pickle": ("Encoding", lambda: raw(changed(_good(), "content-type", "application/x-python-serialize"))),
    "YAML": ("Encoding", lambda: raw(changed(_good(), "content-type", "application/x-yaml"))),
    "a character set that is none": ("Encoding", lambda: raw(changed(_good(), "content-encoding", "utf-99"))),
    "gzip": ("Encoding", lambda: raw(changed(_good(), "headers/compression", "application/x-gzip"))),
    "a compression that kombu does not know": ("Encoding", lambda: raw(changed(_good(), "headers/compression", "x"))),
    "a body that is no Base64": ("Body", lambda: raw(changed(_good(), "body", "***"))),
    "a body that is no JSON": ("Body", lambda: raw(with_text(b"{not json"))),
    "an empty body": ("Body", lambda: raw(changed(_good(), "body", ""))),
    "a body that is null": ("Body", lambda: raw(with_body(None))),
    "a body that is a word": ("Body", lambda: raw(with_body("abc"))),
    "a body of two parts": ("Body", lambda: raw(with_body([[], {}]))),
    "a body of the older protocol": (
        "Body",
        lambda: raw(with_body({"task": TASK_NAME, "id": "1", "args": [], "kwargs": {}})),
    ),
    "a body of lists within lists": ("Body", lambda: raw(with_text(b"[" * 100_000))),
    "no task": ("UnknownTask", lambda: raw(without(_good(), "headers/task"))),
    "a task of another program": ("UnknownTask", lambda: raw(changed(_good(), "headers/task", "app.tasks.other"))),
    "a task of Celery's own": ("UnknownTask", lambda: raw(changed(_good(), "headers/task", "celery.backend_cleanup"))),
    "a task that is a list": ("UnknownTask", lambda: raw(changed(_good(), "headers/task", ["a"]))),
    "no id": ("TaskId", lambda: raw(without(_good(), "headers/id"))),
    "an id that is a number": ("TaskId", lambda: raw(changed(_good(), "headers/id", 7))),
    "the id of another attempt": ("TaskId", lambda: raw(changed(_good(), "headers/id", f"{UID}.2"))),
    "the id of another job's removal": (
        "TaskId",
        lambda: raw(changed(discard_message(output_path="a"), "headers/id", "b.discard")),
    ),
    "a later time": ("Options", lambda: raw(changed(_good(), "headers/eta", "2099-01-01T00:00:00+00:00"))),
    "a later time that is none": ("Options", lambda: raw(changed(_good(), "headers/eta", "tomorrow"))),
    "an end that is none": ("Options", lambda: raw(changed(_good(), "headers/expires", "yesterday"))),
    "an end": ("Options", lambda: raw(changed(_good(), "headers/expires", 1))),
    "a time limit": ("Options", lambda: raw(changed(_good(), "headers/timelimit", [0.001, None]))),
    "retries": ("Options", lambda: raw(changed(_good(), "headers/retries", "many"))),
    "a group": ("Options", lambda: raw(changed(_good(), "headers/group", "g"))),
    "a task afterwards": (
        "Options",
        lambda: raw(with_body([[], {}, {**NOTHING_AFTERWARDS, "callbacks": [{"task": "x"}]}])),
    ),
    "a chord": ("Options", lambda: raw(with_body([[], {}, {"chord": {"task": "x"}}]))),
    "no arguments": ("Arguments", lambda: raw(with_body([[], {}, NOTHING_AFTERWARDS]))),
    "arguments by their place": ("Arguments", lambda: raw(with_body([[UID], {}, NOTHING_AFTERWARDS]))),
    "arguments that are null": ("Arguments", lambda: raw(with_body([None, None, NOTHING_AFTERWARDS]))),
    "an attempt before the first": ("Arguments", lambda: raw(with_kwargs(attempt=-5))),
    "an attempt that is a word": ("Arguments", lambda: raw(with_kwargs(attempt="1"))),
    "a uid that leads out": ("Arguments", lambda: raw(attempt_message(".."))),
    "a namespace that leads out": ("Arguments", lambda: raw(with_kwargs(namespace="../.."))),
    "parameters that are a list": ("Arguments", lambda: raw(with_kwargs(parameters=[]))),
    "a removal without a job": ("Arguments", lambda: raw(message(DISCARD_TASK_NAME, "x", {"namespace": "shop"}))),
    "sixty million letters": ("TooLarge", lambda: raw(with_kwargs(name="x" * 60_000_000))),
}
"""What somebody may put on the queue: the fault of each, and what lies in Redis then."""

FOREIGN_ORDERS: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "a text that is no JSON": ("NotJson", lambda: b"hello"),
    "lists within lists": ("NotJson", lambda: b"[" * 100_000),
    "null": ("Envelope", lambda: b"null"),
    "pickle": (
        "Encoding",
        lambda: raw(changed(control_message("ping", {}), "content-type", "application/x-python-serialize")),
    ),
    "a body that is no JSON": ("Body", lambda: raw(changed(control_message("ping", {}), "body", "eHg="))),
    "a body that is null": ("Control", lambda: raw(changed(control_message("ping", {}), "body", encoded(None)))),
    "an order to shut down": ("Control", lambda: raw(control_message("shutdown", {}))),
    "an order to start the pool anew": ("Control", lambda: raw(control_message("pool_restart", {"reload": True}))),
    "an order to end the pool's process": ("Control", lambda: raw(control_message("pool_shrink", {"n": 1}))),
    "an order to take from another queue": (
        "Control",
        lambda: raw(control_message("add_consumer", {"queue": "other"})),
    ),
    "an order to take no more": ("Control", lambda: raw(control_message("cancel_consumer", {"queue": QUEUE}))),
    "a limit": ("Control", lambda: raw(control_message("time_limit", {"task_name": TASK_NAME, "hard": 1}))),
    "an order that Celery does not know": ("Control", lambda: raw(control_message("nonsense", {}))),
    "a method that is a list": ("Control", lambda: raw(control_message([], {}))),
    "a revocation of no attempt": (
        "Control",
        lambda: raw(control_message("revoke", {"task_id": "x", "terminate": True, "signal": "SIGKILL"})),
    ),
    "a revocation of many": (
        "Control",
        lambda: raw(control_message("revoke", {"task_id": [f"{UID}.1"], "terminate": True, "signal": "SIGKILL"})),
    ),
    "a revocation for later": (
        "Control",
        lambda: raw(control_message("revoke", {"task_id": f"{UID}.1", "terminate": False, "signal": "SIGKILL"})),
    ),
    "a revocation by another signal": (
        "Control",
        lambda: raw(control_message("revoke", {"task_id": f"{UID}.1", "terminate": True, "signal": "SIGSTOP"})),
    ),
    "a pattern of workers": ("Control", lambda: raw(control_message("ping", {}, pattern="(a+)+$", matcher="pcre"))),
    "an answer to somebody else": (
        "Control",
        lambda: raw(control_message("ping", {}, reply_to={"exchange": "x", "routing_key": "y"})),
    ),
}
"""The same for the channel of remote control."""
