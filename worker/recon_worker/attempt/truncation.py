"""How long the texts in a worker's messages may be: all of it ends up in a resource, and a library's error may be a novel."""

from collections.abc import Iterable

from recon_api.payload import JobWarning
from recon_api.printable import printable
from recon_api.status import MAX_WARNING_LENGTH, MAX_WARNINGS, Metric

MESSAGE_CHARS = 1024
"""A paragraph: enough for a list of wrong files, and read by a person."""

METRICS = 20
"""Figures of one job; the first ones count, which name the photos."""

VALUE_CHARS = 200

ELLIPSIS = "…"


def truncate_line(text: str, limit: int = MESSAGE_CHARS) -> str:
    """Return the text as one line of at most `limit` characters that can be shown anywhere."""
    line = printable(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + ELLIPSIS


def limit_metrics(metrics: Iterable[Metric]) -> tuple[Metric, ...]:
    """Return the latest value of each of the first figures, all of them short."""
    latest: dict[str, str] = {}
    for metric in metrics:
        name = truncate_line(metric.name, VALUE_CHARS)
        if name in latest or len(latest) < METRICS:
            latest[name] = truncate_line(metric.value, VALUE_CHARS)
    return tuple(Metric(name=name, value=value) for name, value in latest.items())


def limit_warnings(warnings: Iterable[JobWarning]) -> tuple[JobWarning, ...]:
    """Return the first different warnings, all of them short."""
    short = (
        JobWarning(reason=warning.reason, message=truncate_line(warning.message, MAX_WARNING_LENGTH))
        for warning in warnings
    )
    return tuple(dict.fromkeys(short))[:MAX_WARNINGS]
