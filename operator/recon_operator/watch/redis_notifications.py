"""Hearing at once what workers report, by Redis' own push: nothing is polled for each job.

Celery's result backend publishes every state under the name of its key; workers publish that they came or went. Both
only name a job to be looked at: what is true is then read. A message that was missed is made up for when the
connection is back, and by the look at each running attempt's lease.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from recon_api.keys import PROGRESS_CHANNEL_PATTERN, WORKERS_CHANNEL, parse_task_id
from recon_operator.clients.redis_state import RedisState
from recon_operator.jobs.cache import Jobs
from recon_operator.jobs.work_queue import WorkQueue
from recon_operator.observe.observer import Observer

log = logging.getLogger(__name__)

SETTLE_S = 0.1
"""Reports of running tasks that come within this time make one pass; the end of a task is looked at without waiting."""

RECONNECT_S = 1.0
SILENT_CHECK_S = 5.0
"""How often an idle connection is tried."""

RUNNING_STATES = (b'"status": "PROGRESS"', b'"status": "STARTED"')


class RedisNotifications:
    """Turns what Redis publishes into jobs to be looked at."""

    def __init__(self, redis: RedisState, jobs: Jobs, work: WorkQueue, observer: Observer) -> None:
        """Listen on both databases of `redis` once `run` runs."""
        self._redis, self._jobs, self._work, self._observer = redis, jobs, work, observer

    async def run(self) -> None:
        """Listen until cancelled, connecting again whenever the connection breaks."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow(self._redis.results.pubsub, self._task_reported, PROGRESS_CHANNEL_PATTERN))
            group.create_task(self._follow(self._redis.state.pubsub, self._workers_changed, WORKERS_CHANNEL))

    async def _follow(self, subscribe: Callable[[], PubSub], handle: Callable[[Any], None], channel: str) -> None:
        while True:
            try:
                await self._listen(subscribe(), handle, channel)
            except (RedisError, OSError, TimeoutError) as error:
                log.debug("the connection that listens on %s broke: %s", channel, error)
                self._observer.lose_sight()
            await asyncio.sleep(RECONNECT_S)

    async def _listen(self, pubsub: PubSub, handle: Callable[[Any], None], channel: str) -> None:
        try:
            await (pubsub.psubscribe(channel) if channel.endswith("*") else pubsub.subscribe(channel))
            self._wake_all()
            while True:
                message = await pubsub.get_message(ignore_subscribe_messages=True, timeout=SILENT_CHECK_S)
                if message is None:
                    await pubsub.ping()
                elif message["type"] in {"message", "pmessage"}:
                    handle(message)
        finally:
            with suppress(RedisError, OSError):
                await pubsub.aclose()  # type: ignore[no-untyped-call]  # redis-py leaves it so

    def _task_reported(self, message: Any) -> None:
        """Have the job of a stored state looked at: at once where its task has ended."""
        channel = message["channel"].decode().removeprefix(PROGRESS_CHANNEL_PATTERN.removesuffix("*"))
        try:
            uid, _ = parse_task_id(channel)
        except ValueError:
            return  # a task of somebody else on the same Redis
        if self._jobs.get(uid) is None:
            return
        running = any(state in message["data"] for state in RUNNING_STATES)
        self._work.add_in(uid, SETTLE_S if running else 0.0)

    def _workers_changed(self, _message: Any) -> None:
        """Have every open attempt looked at, and the queue: a worker came, went or restarted."""
        self._wake_all()

    def _wake_all(self) -> None:
        for job in self._jobs.occupying():
            self._work.add(job.uid)
        self._work.poke()
