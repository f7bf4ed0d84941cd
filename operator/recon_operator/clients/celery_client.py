"""Sending tasks to the workers and killing them, by Celery."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from celery import Celery
from kombu.exceptions import OperationalError

from recon_api.keys import (
    DISCARD_TASK_NAME,
    TASK_NAME,
    VISIBILITY_TIMEOUT_S,
    discard_task_id,
    queue_name,
    task_id,
)
from recon_api.payload import DiscardPayload, TaskPayload
from recon_operator.clients.fence import Fence, NotLeadingError

SENDING_THREADS = 4


class BrokerError(Exception):
    """The broker did not take a message."""


class CeleryClient:
    """A producer without a result backend: results are read from Redis as plain keys, so nothing subscribes here."""

    def __init__(self, broker_url: str, timeout_s: float, fence: Fence) -> None:
        """Send to this broker; a call fails after about `timeout_s`, and at once where the fence is closed."""
        self._fence = fence
        self._celery = Celery("recon_operator", broker=broker_url, backend=None, set_as_current=False)
        self._celery.conf.update(
            task_serializer="json",
            accept_content=["json"],
            task_publish_retry=False,
            task_default_delivery_mode="persistent",
            broker_connection_timeout=timeout_s,
            broker_transport_options={
                "visibility_timeout": VISIBILITY_TIMEOUT_S,
                "socket_timeout": timeout_s,
                "socket_connect_timeout": timeout_s,
                "socket_keepalive": True,
                "health_check_interval": 5,
                "max_retries": 0,
            },
        )
        self._threads = ThreadPoolExecutor(SENDING_THREADS, thread_name_prefix="celery")

    async def send(self, payload: TaskPayload, gpu_class: str) -> None:
        """Send an attempt to the workers of a gpuClass. Raises BrokerError."""
        await self._in_thread(
            self._celery.send_task,
            TASK_NAME,
            kwargs=payload.model_dump(mode="json"),
            task_id=task_id(payload.job_id, payload.attempt),
            queue=queue_name(gpu_class),
        )

    async def discard(
        self, uid: str, namespace: str, gpu_class: str, output_path: str | None = None, *, logs: bool = False
    ) -> None:
        """Have a worker delete what a job left in the storage, its outputs where they are named, and its logs where asked for.

        Raises BrokerError.
        """
        payload = DiscardPayload(job_id=uid, namespace=namespace, output_path=output_path, logs=logs or None)
        await self._in_thread(
            self._celery.send_task,
            DISCARD_TASK_NAME,
            kwargs=payload.model_dump(mode="json", exclude_none=True),
            task_id=discard_task_id(uid) if output_path is not None else None,
            queue=queue_name(gpu_class),
        )

    async def kill(self, uid: str, attempt: int) -> None:
        """Kill the process that runs an attempt, wherever it does. Raises BrokerError."""
        await self._in_thread(self._celery.control.revoke, task_id(uid, attempt), terminate=True, signal="SIGKILL")

    async def stop(self) -> None:
        """Drop what is still to be sent, and wait for what is being sent."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)

    def close(self) -> None:
        """Drop what is still to be sent, and all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._celery.close()

    async def _in_thread(self, call: Any, *args: Any, **kwargs: Any) -> None:
        def send() -> None:
            self._fence.check()  # here, for a call may have waited for a thread
            call(*args, **kwargs)

        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, send)
        except NotLeadingError as error:
            raise BrokerError(str(error)) from error
        except (OperationalError, OSError, TimeoutError) as error:
            raise BrokerError(f"the broker does not take messages: {error}") from error
        except Exception as error:  # redis-py's own errors reach here from control calls on a stale connection
            if type(error).__module__.startswith("redis."):
                raise BrokerError(f"the broker does not take messages: {error}") from error
            raise
