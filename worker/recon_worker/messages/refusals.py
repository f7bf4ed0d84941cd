"""What becomes of a message that is refused: it is counted, set aside for people to look at, and logged."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache

from recon_api.keys import REFUSED_MESSAGE_CHARS, REFUSED_MESSAGES_KEY
from recon_api.payload import RefusedMessage
from recon_worker.attempt.redis_client import UNREACHABLE, state_redis
from recon_worker.messages.dead_letters import DeadLetters
from recon_worker.messages.faults import Fault, MessageRefusedError
from recon_worker.settings import worker_settings

LOG_AGAIN_S = 60.0
"""Between two log lines about the same fault: somebody may send thousands of such messages."""

logger = logging.getLogger(__name__)


class Refusals:
    """The messages that this worker has refused. Messages come one at a time; the counts may be read at any time."""

    def __init__(
        self, set_aside: Callable[[RefusedMessage], None], worker: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Pass each refused message to `set_aside`, which may raise what `UNREACHABLE` names; `clock` counts seconds."""
        self._set_aside, self._worker, self._clock = set_aside, worker, clock
        self._counts = Counter[Fault]()
        self._logged: dict[Fault, tuple[float, int]] = {}

    @property
    def counts(self) -> Mapping[str, int]:
        """How many were refused, by each kind of fault."""
        return {fault.value: self._counts[fault] for fault in Fault}

    def passed(self, raw: bytes, source: str, check: Callable[[bytes], bytes]) -> bytes | None:
        """Return a message as `check` does, None where it is refused; raises nothing."""
        try:
            return check(raw)
        except MessageRefusedError as error:
            self.add(raw, source, error)
        except Exception as error:  # noqa: BLE001 - no message may end the worker, a mistake in a check included
            self.add(raw, source, MessageRefusedError(Fault.UNEXPECTED, type(error).__name__))
        return None

    def add(self, raw: bytes, source: str, error: MessageRefusedError) -> None:
        """Set a refused message aside, count it, and log it unless its like was logged just now."""
        kept = self._keep(raw, source, error)
        self._counts[error.fault] += 1
        now, count = self._clock(), self._counts[error.fault]
        logged_at, logged_count = self._logged.get(error.fault, (-LOG_AGAIN_S, 0))
        if now - logged_at < LOG_AGAIN_S:
            return
        self._logged[error.fault] = now, count
        message = "refused a message of %d bytes from %s: %s (%s); %d of this kind since this was last said; %s"
        logger.warning(message, len(raw), source, error.fault, error.detail, count - logged_count, kept)

    def _keep(self, raw: bytes, source: str, error: MessageRefusedError) -> str:
        """Set the message aside; return in words whether that went well."""
        entry = RefusedMessage(
            refused_at=datetime.now(UTC),
            worker=self._worker,
            source=source,
            fault=error.fault,
            detail=error.detail,
            size_bytes=len(raw),
            start=raw[:REFUSED_MESSAGE_CHARS].decode(errors="backslashreplace")[:REFUSED_MESSAGE_CHARS],
        )
        try:
            self._set_aside(entry)
        except UNREACHABLE as failure:
            return f"it is lost, as it could not be set aside: {failure}"
        return f"it is in the list {REFUSED_MESSAGES_KEY} in Redis"


@cache
def refusals() -> Refusals:
    """Return this process's."""
    settings = worker_settings()
    return Refusals(DeadLetters(state_redis(settings)).add, settings.worker_name)
