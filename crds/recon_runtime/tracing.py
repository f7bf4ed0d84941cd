"""Traces, where an OTLP endpoint is set. Where none is, nothing that sends them is even imported."""

import logging
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)

Tracing = TypeVar("Tracing")
"""What tells a side's spans."""


def tracing_where_asked(endpoint: str, load: Callable[[], Tracing], without: Tracing) -> Tracing:
    """Return what `load` imports and makes, or `without` where no endpoint is set or the extra `tracing` is not installed."""
    if not endpoint:
        return without
    try:
        return load()
    except ImportError as error:
        log.error("no traces: %s; install reconstruction-operator[tracing]", error)  # noqa: TRY400 - the cause is told
        return without
