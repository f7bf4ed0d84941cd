"""How the worker logs: text for people, or JSON lines for collectors, both with the job that a line is about."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from recon_api.keys import parse_task_id
from recon_runtime.logs import LogFormat, TextLines, log_to_stderr, make_formatter

QUIET = ("kombu", "multiprocessing")
"""Libraries of which only warnings are logged."""

_current: Mapping[str, object] = {}
"""The attempt that this process runs: one at a time, whichever of its threads logs."""


@contextmanager
def logging_about(fields: Mapping[str, object]) -> Iterator[None]:
    """Add these fields to every line that this process logs within the block, by any thread."""
    global _current  # noqa: PLW0603 - a context variable would leave out the lease's and the progress's threads
    before, _current = _current, fields
    try:
        yield
    finally:
        _current = before


def about(*, namespace: str, name: str, uid: str, attempt: int) -> Mapping[str, object]:
    """Return the fields of a line about an attempt, which may also be a single line's `extra`."""
    return {"namespace": namespace, "job": name, "uid": uid, "attempt": attempt}


def set_up_logging(level: str, form: LogFormat, *, traced: bool = False) -> None:
    """Log to stderr from now on, whoever set up logging before; with `traced`, JSON lines name the job's trace."""
    handler = log_to_stderr(level, make_formatter("worker", form, _TextFormatter(), traced=traced), quiet=QUIET)
    handler.addFilter(_name_job)
    logging.getLogger("multiprocessing").handlers = [handler]  # of Celery's pool, which passes nothing on


def _name_job(record: logging.LogRecord) -> bool:
    """Name the attempt that runs in a record that names none itself."""
    if not hasattr(record, "uid"):
        record.__dict__.update(_current or _celery_task(record))
    return True


def _celery_task(record: logging.LogRecord) -> Mapping[str, object]:
    """Return the job of a line in which Celery's main process speaks of one of our tasks."""
    data: Any = getattr(record, "data", None)
    try:
        uid, attempt = parse_task_id(data["id"])
    except (TypeError, KeyError, ValueError, AttributeError):
        return {}
    return {"uid": uid, "attempt": attempt}


class _TextFormatter(TextLines):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        job = record.__dict__
        named = f"  [{job['namespace']}/{job['job']} attempt {job['attempt']}]" if "job" in job else ""
        return super().formatMessage(record) + named
