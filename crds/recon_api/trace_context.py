"""The trace of a job: its ids follow from the job's UID, so that nobody has to keep or find them.

An operator that restarts in the middle of a job goes on with the same trace, and a log line's `trace_id` needs no tracer.
What travels to a worker is a W3C `traceparent`, the id of the attempt's span in it.
"""

import hashlib
import re

TRACEPARENT_LENGTH = 55
"""Of version 00: longer ones are of versions that we do not write."""

_TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})")


def trace_id(uid: str) -> int:
    """Return the id of a job's trace; evenly spread, as samplers want it, which a UUID's own bits are not."""
    return _digest(f"trace {uid}", 16)


def job_span_id(uid: str) -> int:
    """Return the id of the trace's root: the job, from its creation to its end."""
    return _digest(f"job {uid}", 8)


def attempt_span_id(uid: str, attempt: int) -> int:
    """Return the id of the span of one attempt, from its dispatch to its end."""
    return _digest(f"attempt {uid}.{attempt}", 8)


def hex_trace_id(uid: str) -> str:
    """Return the id of a job's trace as tools show it, and as it stands in log lines."""
    return f"{trace_id(uid):032x}"


def traceparent(uid: str, attempt: int, *, sampled: bool) -> str:
    """Return what makes a worker's spans children of the attempt's."""
    return f"00-{trace_id(uid):032x}-{attempt_span_id(uid, attempt):016x}-{int(sampled):02x}"


def parse_traceparent(text: str | None) -> tuple[int, int, int] | None:
    """Return (trace id, span id, flags), None where the text is no traceparent: then there is nothing to follow."""
    found = _TRACEPARENT.fullmatch(text) if text and len(text) == TRACEPARENT_LENGTH else None
    return (int(found[1], 16), int(found[2], 16), int(found[3], 16)) if found else None


def _digest(text: str, size: int) -> int:
    """Return a number of `size` bytes that is not zero, which means "none" in a trace."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:size]) or 1
