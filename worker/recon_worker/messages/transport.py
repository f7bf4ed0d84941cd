"""kombu's Redis transport, with a check of each message between Redis and kombu's decoder.

The check sits where redis-py parses an answer: kombu puts its own prefixes of keys there (`GlobalKeyPrefixMixin`), and there
is no other way from Redis to a consumer. A refused message looks like an answer without one. It has been taken off its list
by then and was never noted as unacknowledged, so it does not come back to any worker.
"""

import json
from itertools import product
from queue import Empty
from typing import Any

from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import redis as kombu_redis
from redis import Redis
from redis.client import PubSub
from redis.exceptions import ResponseError

from recon_api.keys import queue_name
from recon_worker.messages.control_message import checked_control
from recon_worker.messages.faults import Fault, MessageRefusedError
from recon_worker.messages.reading import read_json
from recon_worker.messages.refusals import refusals
from recon_worker.messages.task_message import checked_task

PUBLISHED = {b"message", b"pmessage"}

UNACKNOWLEDGED = "unacknowledged"
"""Source of a message that is put back, in the words of `RefusedMessage`."""


def check_messages() -> None:
    """Have all connections of this process to Redis by kombu check messages, whichever way their URLs say.

    By the URL's scheme, as kombu chooses the transport from it again when it connects again.
    """
    TRANSPORT_ALIASES.update(dict.fromkeys(("redis", "rediss"), f"{__name__}:{CheckedTransport.__name__}"))


class _Client(Redis):
    """Takes messages off queues; only those of the operator's get any further."""

    def parse_response(self, connection: Any, command_name: str, **options: Any) -> Any:
        """Return the answer to a command; None, as where a queue is empty, for a message that is refused."""
        answer = super().parse_response(connection, command_name, **options)  # type: ignore[no-untyped-call]
        if command_name != "BRPOP" or not answer:
            return answer
        key, raw = answer
        queue = key.decode(errors="replace").partition(CheckedChannel.sep)[0]
        message = refusals().passed(raw, queue, lambda found: checked_task(found, queue))
        return None if message is None else (key, message)

    def pubsub(self, **options: Any) -> PubSub:
        """Return a subscription that passes on orders of ours only."""
        return _Subscription(self.connection_pool, **options)


class _Subscription(PubSub):
    def parse_response(self, *args: Any, **kwargs: Any) -> Any:
        """Return what was published, None for a message that is refused."""
        answer = super().parse_response(*args, **kwargs)  # type: ignore[no-untyped-call]
        if not answer or answer[0] not in PUBLISHED:
            return answer
        message = refusals().passed(answer[-1], "remote control", checked_control)
        return None if message is None else [*answer[:-1], message]


class _Acknowledgements(kombu_redis.QoS):
    """Puts back only what was taken from a queue."""

    def restore_by_tag(self, tag: Any, client: Any = None, *where: Any, **options: Any) -> None:
        """Put an unacknowledged message back into its queue; drop what is none, or kombu fails on it again and again."""
        with self.channel.conn_or_acquire(client) as connected:
            entry = connected.hget(self.unacked_key, tag)
            if entry is None or refusals().passed(entry, UNACKNOWLEDGED, _checked_entry) is not None:
                super().restore_by_tag(tag, connected, *where, **options)  # type: ignore[no-untyped-call]
            else:
                self._remove_from_indices(tag).execute()  # type: ignore[no-untyped-call]


class CheckedChannel(kombu_redis.Channel):
    """Takes messages, and passes on those that the operator sends."""

    QoS = _Acknowledgements

    def _brpop_read(self, **options: Any) -> Any:
        """Deliver the message that Redis has answered with. Raises `Empty` where there is none that passes."""
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call]
        except ResponseError as error:
            if not str(error).startswith("WRONGTYPE"):
                raise
            self._remove_what_is_no_list()
            raise Empty from error

    def _remove_what_is_no_list(self) -> None:
        """Remove what lies under a queue's name and is no queue: neither could the operator send anything."""
        with self.conn_or_acquire() as client:
            for queue, step in product(self.active_queues, self.priority_steps):
                key = self._q_for_pri(queue, step)  # type: ignore[no-untyped-call]
                try:
                    client.llen(key)
                except ResponseError:
                    client.delete(key)
                    refusals().add(b"", queue, MessageRefusedError(Fault.QUEUE, "no list"))

    def _get_client(self) -> type[Redis]:
        return _Client


class CheckedTransport(kombu_redis.Transport):
    """The transport of a worker, for redis:// and rediss://."""

    Channel = CheckedChannel


def _checked_entry(entry: bytes) -> bytes:
    """Return what kombu notes of an unacknowledged message, as it is: message, exchange, routing key."""
    noted = read_json(entry, Fault.UNACKNOWLEDGED)
    if not isinstance(noted, list) or len(noted) != 3:
        raise MessageRefusedError(Fault.UNACKNOWLEDGED, "no list of three")
    message, exchange, routing_key = noted
    if exchange != "" or not isinstance(routing_key, str) or not routing_key.startswith(queue_name("")):
        raise MessageRefusedError(Fault.UNACKNOWLEDGED, "from none of the workers' queues")
    checked_task(json.dumps(message).encode(), routing_key)
    return entry
