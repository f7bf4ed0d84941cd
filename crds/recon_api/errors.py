"""Errors by whose move it is next. Every error that crosses a border of the system is one of these four.

They are turned into a job's status at two edges only: `recon_worker.attempt.attempt_result` (into an attempt's outcome) and
`recon_operator.act.actor` (into a retry of a pass). Always raise them `from` the error that caused them.
"""

from recon_api.printable import printable
from recon_api.reasons import Reason


class ReconstructionError(Exception):
    """Base of the four kinds; `reason` is what the status will say, and `message` is one line that can be shown anywhere."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.reason = reason
        self.message = printable(" ".join(message.split()))
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.reason.name}: {self.message}"


class UsageError(ReconstructionError):
    """The user's move: the job is `Failed` at once and never retried; the message says what to change."""


class TransientError(ReconstructionError):
    """Ours, later: the attempt is retried after `retry_after_s` seconds (or the job's own backoff where longer)."""

    def __init__(self, reason: Reason, message: str, *, retry_after_s: float = 0.0) -> None:
        super().__init__(reason, message)
        self.retry_after_s = retry_after_s


class FatalError(ReconstructionError):
    """A developer's move: something unknown went wrong; the traceback is kept in the log."""


class JobCancelled(ReconstructionError):  # noqa: N818 - it is control flow, not a fault
    """Nobody's move: the work was asked to stop (cancelled, suspended, or superseded by a later attempt)."""
