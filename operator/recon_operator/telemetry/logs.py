"""Log lines, as text or JSON, each with the job that it speaks of."""

import logging
from collections.abc import MutableMapping
from typing import Any

from recon_api.resource import ReconstructionJob
from recon_runtime.logs import LogFormat, TextLines, log_to_stderr, make_formatter

QUIET = ("kopf", "kubernetes", "aiohttp", "kombu", "asyncio")
"""Libraries of which only warnings are logged."""


def configure_logs(level: str, form: LogFormat, *, traced: bool = False) -> None:
    """Send all log lines of this process to standard error; with `traced`, JSON lines name the job's trace."""
    log_to_stderr(level, make_formatter("operator", form, _TextFormatter(), traced=traced), quiet=QUIET)


def job_logger(name: str, job: ReconstructionJob) -> "logging.LoggerAdapter[logging.Logger]":
    """Return a logger whose lines name the job, its UID and its latest attempt."""
    fields = {
        "namespace": job.metadata.namespace,
        "job": job.metadata.name,
        "uid": job.uid,
        "attempt": job.status.execution_attempts,
    }
    return _JobAdapter(logging.getLogger(name), fields)


class _JobAdapter(logging.LoggerAdapter[logging.Logger]):
    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        return msg, {**kwargs, "extra": {**(self.extra or {}), **kwargs.get("extra", {})}}


class _TextFormatter(TextLines):
    def format(self, record: logging.LogRecord) -> str:
        if not hasattr(record, "job"):
            return super().format(record)
        copy = logging.makeLogRecord(record.__dict__)
        copy.msg, copy.args = f"{record.namespace}/{record.job}: {record.getMessage()}{_suffix(record)}", None  # type: ignore[attr-defined]
        return super().format(copy)


def _suffix(record: logging.LogRecord) -> str:
    return f"  [uid={record.uid} attempt={record.attempt}]"  # type: ignore[attr-defined]
