"""Log lines, as text or JSON, each with the job that it speaks of."""

import logging
from collections.abc import MutableMapping
from typing import Any, Literal

from recon_api.log_lines import JsonLines
from recon_api.resource import ReconstructionJob


def configure_logs(level: str, style: Literal["json", "text"], *, traced: bool = False) -> None:
    """Send all log lines of this process to standard error; with `traced`, JSON lines name the job's trace."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines("operator", traced=traced) if style == "json" else _TextFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)  # Python's own would be lines of another form
    for noisy in ("kopf", "kubernetes", "aiohttp", "kombu", "asyncio"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))


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


class _TextFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        if not hasattr(record, "job"):
            return super().format(record)
        copy = logging.makeLogRecord(record.__dict__)
        copy.msg, copy.args = f"{record.namespace}/{record.job}: {record.getMessage()}{_suffix(record)}", None  # type: ignore[attr-defined]
        return super().format(copy)


def _suffix(record: logging.LogRecord) -> str:
    return f"  [uid={record.uid} attempt={record.attempt}]"  # type: ignore[attr-defined]
