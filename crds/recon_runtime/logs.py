"""Where the lines of a process go, and how they look: text for people, or JSON for collectors."""

import logging
import sys
from collections.abc import Iterable
from typing import Literal

from recon_runtime.log_lines import JsonLines

LogFormat = Literal["json", "text"]


class TextLines(logging.Formatter):
    """Time, level and message; each side adds the job that a line is about in its own way."""

    def __init__(self) -> None:
        """Take no arguments: all lines look the same."""
        super().__init__("%(asctime)s %(levelname)-7s %(message)s")


def make_formatter(service: str, form: LogFormat, text: TextLines, *, traced: bool) -> logging.Formatter:
    """Return what writes this service's lines, `operator`'s or `worker`'s; with `traced`, JSON lines name the job's trace."""
    return JsonLines(service, traced=traced) if form == "json" else text


def log_to_stderr(level: str, formatter: logging.Formatter, *, quiet: Iterable[str]) -> logging.Handler:
    """Send all log lines of this process to standard error, whatever set up logging before; return what writes them.

    Of the libraries named `quiet`, only warnings and worse.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)  # Python's own would be lines of another form
    for name in quiet:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    return handler
