"""Log lines as JSON, the same on both sides: one query on `uid` finds a job's whole story in operator and workers."""

import json
import logging
from datetime import UTC, datetime

from recon_api.trace_context import hex_trace_id

JOB_FIELDS = ("namespace", "job", "uid", "attempt")
"""Attributes of a record, and fields of its line, that tell which attempt at which job it is about."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, the job where it is about one, and a traceback."""

    def __init__(self, service: str, *, traced: bool = False) -> None:
        """Write lines of this service, `operator` or `worker`; with `traced` they also name the job's trace."""
        super().__init__()
        self._service, self._traced = service, traced

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name in JOB_FIELDS if (value := getattr(record, name, None)) is not None}
        if self._traced and "uid" in line:
            line["trace_id"] = hex_trace_id(str(line["uid"]))
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str, ensure_ascii=False)
