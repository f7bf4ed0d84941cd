"""How the worker logs: text for people, or JSON lines for collectors, both with the job that a line is about."""

import json
import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Literal

_job: ContextVar[Mapping[str, object] | None] = ContextVar("job", default=None)


@contextmanager
def logging_job(*, namespace: str, name: str, uid: str, attempt: int) -> Iterator[None]:
    """Add the job to every line that this thread logs within the block."""
    token = _job.set({"namespace": namespace, "job": name, "uid": uid, "attempt": attempt})
    try:
        yield
    finally:
        _job.reset(token)


def set_up_logging(level: str, form: Literal["json", "text"]) -> None:
    """Log to stderr from now on, whoever set up logging before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonFormatter() if form == "json" else _TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("kombu").setLevel(logging.WARNING)


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **(_job.get() or {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        job = _job.get()
        about = f"  [{job['namespace']}/{job['job']} attempt {job['attempt']}]" if job else ""
        return super().formatMessage(record) + about
