"""What this operator itself has done about each job's latest attempt. Only `act` writes it; `observe` reads it.

Kept in memory alone: an operator that starts again knows none of it, and finds out by what Redis shows.
"""

import itertools

from recon_api.payload import AttemptResult


class AttemptNotes:
    """Attempts that are not sent yet, those that were sent, and those that could not be."""

    def __init__(self) -> None:
        """Know of no attempt."""
        self._unsent: dict[str, tuple[int, str]] = {}
        self._refused: dict[str, AttemptResult] = {}
        self._sends: dict[str, int] = {}
        self._numbers = itertools.count(1)

    def sending(self, uid: str, attempt: int) -> None:
        """Record that an attempt is to be sent, and is not yet; a refusal of an earlier one is over."""
        if not self.is_unsent(uid, attempt):
            self._unsent[uid] = attempt, ""
        if self.refusal(uid, attempt) is None:
            self._refused.pop(uid, None)

    def not_sent(self, uid: str, attempt: int, because: str) -> None:
        """Record that Redis did not take an attempt, and what it said."""
        self._unsent[uid] = attempt, because

    def sent(self, uid: str) -> None:
        """Record that the message of the attempt was sent."""
        self._unsent.pop(uid, None)
        self._refused.pop(uid, None)
        self._sends[uid] = next(self._numbers)

    def refused(self, uid: str, result: AttemptResult) -> None:
        """Record that an attempt cannot be sent, and with which result it has thereby ended: no worker writes one."""
        self._refused[uid] = result

    def forget(self, uid: str) -> None:
        """Drop what is known of a job that is done."""
        for notes in (self._unsent, self._refused, self._sends):
            notes.pop(uid, None)

    def is_unsent(self, uid: str, attempt: int) -> bool:
        """Say whether this attempt is known not to have been sent."""
        return uid in self._unsent and self._unsent[uid][0] == attempt

    def unsent_because(self, uid: str, attempt: int) -> str:
        """Return what Redis said when it did not take this attempt; empty where it has not said so."""
        return self._unsent[uid][1] if self.is_unsent(uid, attempt) else ""

    def refusal(self, uid: str, attempt: int) -> AttemptResult | None:
        """Return the result of this attempt, if it could not be sent."""
        result = self._refused.get(uid)
        return result if result is not None and result.attempt == attempt else None

    def latest_send(self, uid: str) -> int | None:
        """Return a number that is another one after each message of the job that was sent; nothing before the first."""
        return self._sends.get(uid)
