"""The messages on Celery's channel of remote control: kill an attempt, and an administrator's questions.

Celery would take many more there: to shut down, to take from another queue, to change its limits.
"""

from typing import Any, Literal

from recon_api.keys import parse_task_id
from recon_worker.messages.envelope import Tag, read_body, read_envelope, write_message
from recon_worker.messages.faults import Fault, MessageRefusedError
from recon_worker.messages.reading import Checked, read_model

REVOKE = "revoke"

QUESTIONS = frozenset(
    {"ping", "active", "scheduled", "reserved", "revoked", "registered", "stats", "active_queues"},
)
"""Of `celery inspect`: they change nothing, and answer at once."""

EXCHANGE = "celery.pidbox"


class ReplyTo(Checked):
    """Who is answered: somebody who asks by Celery's own means."""

    exchange: Literal["reply.celery.pidbox"]
    routing_key: Tag


class Order(Checked):
    """An order or a question, for these workers or for all."""

    method: str
    arguments: dict[str, Any] | None = None
    destination: list[str] | None = None
    pattern: None = None
    matcher: None = None
    reply_to: ReplyTo | None = None
    ticket: Tag | None = None


class Revocation(Checked):
    """The arguments of the operator's only order."""

    task_id: Tag
    terminate: Literal[True]
    signal: Literal["SIGKILL", "SIGUSR1"]
    """Either kills the child that runs the attempt, or has it look at its flags (`recon_worker.attempt.signals`)."""


def checked_control(raw: bytes) -> bytes:
    """Return the message as Celery is to see it; raise `MessageRefusedError`, and nothing else, where nobody here sends such."""
    envelope = read_envelope(raw)
    order = read_model(Order, read_body(envelope), Fault.CONTROL)
    return write_message(
        envelope,
        order.model_dump(exclude_none=True) | {"arguments": _arguments(order)},
        {"clock": 0, "expires": 0},
        delivery_info={"exchange": EXCHANGE, "routing_key": ""},
    )


def _arguments(order: Order) -> dict[str, Any]:
    if order.method in QUESTIONS:
        return {}
    if order.method != REVOKE:
        raise MessageRefusedError(Fault.CONTROL, "no order that is given here")
    revocation = read_model(Revocation, order.arguments, Fault.CONTROL)
    try:
        parse_task_id(revocation.task_id)
    except ValueError as error:
        raise MessageRefusedError(Fault.CONTROL, "arguments.task_id: no attempt's") from error
    return revocation.model_dump()
