"""The two messages on a workers' queue: run an attempt, and discard what a job left behind."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field

from recon_api.keys import DISCARD_TASK_NAME, TASK_NAME, discard_task_id, task_id
from recon_api.payload import DiscardPayload, TaskPayload
from recon_worker.messages.envelope import Tag, read_body, read_envelope, write_message
from recon_worker.messages.faults import Fault, MessageRefusedError
from recon_worker.messages.reading import Checked, read_model
from recon_worker.storage.names import NAMESPACE, UID

TASK_IN_A_LOG = re.compile(r"[\w.]{1,80}", re.ASCII)


class Identified(Checked):
    """That the task has an id."""

    id: Tag


class Headers(Identified):
    """What Celery is to do with the task: at once, once, without limits, and nothing afterwards."""

    eta: None = None
    expires: None = None
    timelimit: Annotated[list[None], Field(max_length=2)] | None = None
    shadow: None = None
    group: None = None
    parent_id: None = None
    retries: Annotated[int, Field(ge=0, le=0)] = 0
    stamps: Annotated[dict[str, Any], Field(max_length=0)] | None = None
    ignore_result: bool | None = None
    redelivered: bool = False


class Embedded(Checked):
    """What is to follow the task: nothing."""

    callbacks: None = None
    errbacks: None = None
    chain: None = None
    chord: None = None


def checked_task(raw: bytes, queue: str) -> bytes:
    """Return the message as Celery is to see it: with the fields that were checked, and no other.

    Raises `MessageRefusedError`, and nothing else, where the operator sends no such message.
    """
    envelope = read_envelope(raw)
    name = envelope.headers.get("task")
    if name not in (TASK_NAME, DISCARD_TASK_NAME):
        named = isinstance(name, str) and TASK_IN_A_LOG.fullmatch(name)
        raise MessageRefusedError(Fault.UNKNOWN_TASK, f"task {name}" if named else "no name of a task")
    read_model(Identified, envelope.headers, Fault.TASK_ID)
    headers = read_model(Headers, envelope.headers, Fault.OPTIONS)
    kwargs = _keyword_arguments(read_body(envelope))
    arguments = _attempt(headers.id, kwargs) if name == TASK_NAME else _discard(headers.id, kwargs)
    return write_message(
        envelope,
        [[], arguments, Embedded().model_dump()],
        _headers(headers, name),
        correlation_id=headers.id,
        reply_to=None,
        delivery_info={"exchange": "", "routing_key": queue},
    )


def _keyword_arguments(body: Any) -> dict[str, Any]:
    if not isinstance(body, list) or len(body) != 3:
        raise MessageRefusedError(Fault.BODY, "no list of three")
    args, kwargs, embedded = body
    if args != [] or not isinstance(kwargs, dict):
        raise MessageRefusedError(Fault.ARGUMENTS, "not by name")
    read_model(Embedded, embedded, Fault.OPTIONS)
    return kwargs


def _attempt(message_id: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    payload = read_model(TaskPayload, kwargs, Fault.ARGUMENTS)
    _check_names(payload.job_id, payload.namespace)
    if message_id != task_id(payload.job_id, payload.attempt):
        raise MessageRefusedError(Fault.TASK_ID, "not that of its attempt")
    return payload.model_dump(mode="json")


def _discard(message_id: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    payload = read_model(DiscardPayload, kwargs, Fault.ARGUMENTS)
    _check_names(payload.job_id, payload.namespace)
    if payload.output_path is not None and message_id != discard_task_id(payload.job_id):
        raise MessageRefusedError(Fault.TASK_ID, "not that of its job")
    return payload.model_dump(mode="json", exclude_none=True)


def _check_names(uid: str, namespace: str) -> None:
    if not UID.fullmatch(uid):
        raise MessageRefusedError(Fault.ARGUMENTS, "job_id: no uid")
    if not NAMESPACE.fullmatch(namespace):
        raise MessageRefusedError(Fault.ARGUMENTS, "namespace: no name of one")


def _headers(headers: Headers, task: Literal["reconstruction.process", "reconstruction.discard"]) -> dict[str, Any]:
    return {
        "lang": "py",
        "task": task,
        "id": headers.id,
        "root_id": headers.id,
        "parent_id": None,
        "group": None,
        "retries": 0,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "argsrepr": "()",
        "kwargsrepr": "{}",
        "ignore_result": headers.ignore_result,
        "redelivered": headers.redelivered,
    }
