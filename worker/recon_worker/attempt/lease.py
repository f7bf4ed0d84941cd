"""Keeping a claimed attempt (`recon_worker.attempt.claim`): it runs only while it is the job's latest."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from redis import Redis
from redis.client import PubSub

from recon_api import reasons
from recon_api.keys import RECORD_TTL_S, attempt_key, cancel_key, claim_key, lease_key, stop_channel
from recon_api.payload import ClaimOwner
from recon_worker.attempt.claim import not_current
from recon_worker.attempt.redis_client import RECONNECT_S, UNREACHABLE
from recon_worker.attempt.stop_order import StopOrder

LISTEN_S = 0.5
"""Longest time that the lease's thread listens before it looks whether its job has ended."""

logger = logging.getLogger(__name__)


class Lease:
    """Holds a claimed attempt: a thread renews its lease, and gives the order to stop where it may not go on.

    Use it as a context manager around the attempt. Redis may be gone for up to `self_stop_s`, or lose everything for as
    long.
    """

    def __init__(
        self,
        redis: Redis,
        uid: str,
        attempt: int,
        owner: ClaimOwner,
        stop: StopOrder,
        *,
        ttl_s: float,
        beat_s: float,
        self_stop_s: float,
        renewed: Callable[[], None] = lambda: None,
    ) -> None:
        """Hold the attempt for `owner`; `renewed` is called after each renewal."""
        self._renewed = renewed
        self._redis, self._uid, self._attempt, self._stop = redis, uid, attempt, stop
        self._owner = owner.model_dump_json().encode()
        self._ttl_s, self._beat_s, self._self_stop_s = ttl_s, beat_s, self_stop_s
        self._last_contact = self._last_wanted = time.monotonic()
        self._ended = self._beat_requested = False
        self.job_is_over = False
        """Whether the attempt must stop because its job has ended or gone, and left nothing to keep."""
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="lease", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        """Stop renewing. The lease itself ends with `release`, or by itself."""
        with self._lock:
            self._ended = True

    def check(self) -> None:
        """Find out now whether the attempt may go on; raise the `JobCancelled` of the order to stop where it may not."""
        with contextlib.suppress(*UNREACHABLE):
            self._beat()
        self._stop.raise_if_given()

    def request_beat(self) -> None:
        """Ask for a beat within `LISTEN_S`. Safe in a signal handler."""
        self._beat_requested = True

    def release(self) -> None:
        """Say that nothing of the attempt runs any more. Raises what redis-py raises."""
        self.__exit__(None, None, None)
        self._redis.delete(lease_key(self._uid, self._attempt))

    def fence(self) -> None:
        """Return once it is certain that this attempt is the job's latest and not cancelled; called before publishing.

        Waits for a Redis that does not answer, or that has lost the attempt's number. Raises `JobCancelled` where the
        attempt may not go on, and after `self_stop_s` of waiting.
        """
        while True:
            try:
                confirmed = self._beat()
            except UNREACHABLE:
                confirmed = False
                self._check_contact()
            self._stop.raise_if_given()
            if confirmed:
                return
            self._stop.wait(RECONNECT_S)

    def _run(self) -> None:
        while not self._ended:
            try:
                self._listen()
            except UNREACHABLE as error:
                logger.warning("Redis does not answer (%s); the attempt goes on", error)
                self._check_contact()
                time.sleep(RECONNECT_S)
            except Exception:
                logger.exception("the lease could not be renewed")
                self._check_contact()
                time.sleep(RECONNECT_S)

    def _listen(self) -> None:
        """Renew the lease at every beat, and at once when a beat is requested; until the job has ended."""
        with self._redis.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call]
            subscription.subscribe(stop_channel(self._uid))
            # What was published before the subscription is covered by a beat after it.
            subscription.get_message(timeout=LISTEN_S)
            while not self._ended:
                self._beat()
                self._await_next_beat(subscription)

    def _await_next_beat(self, subscription: PubSub) -> None:
        due, self._beat_requested = time.monotonic() + self._beat_s, False
        while not self._ended and not self._beat_requested and (left := due - time.monotonic()) > 0:
            if subscription.get_message(timeout=min(left, LISTEN_S)) is not None:
                return

    def _beat(self) -> bool:
        """Read whether the attempt may go on, and renew claim and lease; return whether Redis confirmed its number."""
        with self._lock:
            if self._ended:
                return False
            uid, attempt = self._uid, self._attempt
            with self._redis.pipeline(transaction=False) as pipe:
                # A Redis that was flushed gets the claim again, unless another has it by now.
                pipe.set(claim_key(uid, attempt), self._owner, nx=True, ex=RECORD_TTL_S)
                pipe.mget(claim_key(uid, attempt), attempt_key(uid), cancel_key(uid))
                _, (owner, current, cancelled) = pipe.execute()
            self._last_contact = time.monotonic()
            if self._may_go_on(owner, current, cancelled):
                self._redis.set(lease_key(uid, attempt), self._owner, px=int(self._ttl_s * 1000))
                self._renewed()
                return current is not None
            return False

    def _may_go_on(self, owner: bytes, current: bytes | None, cancelled: bytes | None) -> bool:
        """Give the order to stop where something speaks against the attempt; its number may be lost for a while."""
        if cancelled is not None:
            self._stop.give(reasons.CANCELLED, "the job was cancelled")
        elif owner != self._owner:
            self._stop.give(reasons.SUPERSEDED, "another process runs the attempt")
        elif current is not None and int(current) != self._attempt:
            order = not_current(int(current))
            self._stop.give(order.reason, order.message)
        elif current is None and self._unwanted_s() > self._self_stop_s:
            # The job was finished by another attempt, or deleted: nobody will ever confirm this one.
            self.job_is_over = True
            self._stop.give(reasons.SUPERSEDED, f"nobody has asked for the attempt for {self._unwanted_s():.0f} s")
        else:
            self._last_wanted = self._last_wanted if current is None else time.monotonic()
            return True
        return False

    def _unwanted_s(self) -> float:
        return time.monotonic() - self._last_wanted

    def _check_contact(self) -> None:
        silent_s = time.monotonic() - self._last_contact
        if silent_s > self._self_stop_s:
            self._stop.give(reasons.WORKER_DISCONNECTED, f"no contact to Redis for {silent_s:.0f} s")
