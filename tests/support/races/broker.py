"""Celery's queue: a list in Redis like kombu's, whose messages the world may lose, double and hold back."""

import itertools
import json
from dataclasses import dataclass
from typing import Any

from redis import Redis

from recon_api.keys import DISCARD_TASK_NAME, TASK_NAME, queue_name, task_id
from recon_api.payload import TaskPayload

ANY = queue_name("any")


@dataclass(frozen=True)
class Message:
    """A task for a worker."""

    number: int
    task: str
    id: str
    arguments: dict[str, Any]

    @property
    def is_discard(self) -> bool:
        """Whether it asks for files to be deleted."""
        return self.task == DISCARD_TASK_NAME

    def dump(self) -> str:
        """Return it as it lies in Redis, where the operator looks for the id alone."""
        return json.dumps({"headers": {"id": self.id, "task": self.task}, "number": self.number})


class Broker:
    """Messages that wait in Redis, and all that ever did."""

    def __init__(self, redis: Redis) -> None:
        """Keep them in this database, which is Celery's."""
        self._redis = redis
        self._numbers = itertools.count()
        self.waiting: list[Message] = []
        self.sent: list[Message] = []
        self.lost_discards = 0
        """How many messages were lost that ask for files to be deleted."""

    def send(self, payload: TaskPayload) -> None:
        """Send an attempt."""
        name = task_id(payload.job_id, payload.attempt)
        self._push(Message(next(self._numbers), TASK_NAME, name, payload.model_dump(mode="json")))

    def send_discard(self, uid: str, namespace: str) -> None:
        """Ask for the files of a job to be deleted."""
        number = next(self._numbers)
        arguments = {"job_id": uid, "namespace": namespace}
        self._push(Message(number, DISCARD_TASK_NAME, f"discard-{number}", arguments))

    def take(self, message: Message) -> None:
        """Take a message out, for a worker."""
        self.waiting.remove(message)
        self._redis.lrem(ANY, 1, message.dump())

    def lose(self, message: Message) -> None:
        """Lose a message."""
        self.take(message)
        self.note_loss(message)

    def note_loss(self, message: Message) -> None:
        """Note that nobody does any more what a message asks for."""
        self.lost_discards += message.is_discard

    def send_again(self, message: Message) -> None:
        """Let another copy of a message appear."""
        self._push(message)

    def lose_all(self) -> None:
        """Note that Redis has lost everything."""
        for message in self.waiting:
            self.note_loss(message)
        self.waiting.clear()

    def _push(self, message: Message) -> None:
        self._redis.lpush(ANY, message.dump())
        self.waiting.append(message)
        self.sent.append(message)
