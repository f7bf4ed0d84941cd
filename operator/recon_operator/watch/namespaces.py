"""Which of the watched namespaces can be read: each on its own, so that one that cannot be keeps no other one waiting.

A right that is missing, or taken away, and a namespace that fails by itself are states, not faults of the operator: they are
said once, and end when the namespace can be listed and watched again.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from http import HTTPStatus

from recon_operator.watch.liveness import WatchLiveness

log = logging.getLogger(__name__)

FAILURES_IN_A_ROW = 3
"""Answers of 500 and more after which a namespace is missing: one of them is an API server that starts again."""

Report = Callable[[str, str], None]
"""Reports that a namespace is missing, and why, or with an empty text that it is there again."""


class WatchedNamespaces:
    """The namespaces that the settings name, and which of them are missing; where they name none, all are watched as one."""

    def __init__(self, names: Sequence[str], watch: WatchLiveness, report: Report) -> None:
        """Take all to be there; what is missing is no part of `watch`, and each change is reported."""
        self._names, self._watch, self._report = tuple(names), watch, report
        self._missing: set[str] = set()
        self._failures: Counter[str] = Counter()
        self._change = asyncio.Event()

    @property
    def present(self) -> frozenset[str]:
        """Those that can be read, as far as is known."""
        return frozenset(self._names) - self._missing

    @property
    def missing(self) -> frozenset[str]:
        """Those that cannot be read."""
        return frozenset(self._missing)

    async def changed(self) -> None:
        """Wait until a namespace went or came, since this was last waited for."""
        await self._change.wait()
        self._change.clear()

    def lost(self, name: str, why: str) -> None:
        """Record that a namespace cannot be read."""
        if name not in self.present:
            return
        log.warning("namespace %s cannot be read, its jobs wait; the others go on: %s", name, why)
        self._missing.add(name)
        self._watch.lose(name)
        self._report(name, why)
        self._change.set()

    def found(self, name: str) -> None:
        """Record that a namespace was listed and, if it was missing, can be watched."""
        self._failures.pop(name, None)
        if name not in self._missing:
            return
        log.info("namespace %s can be read again", name)
        self._missing.discard(name)
        self._watch.expect(name)
        self._report(name, "")
        self._change.set()

    def answered(self, name: str, status: int) -> None:
        """Record how the API server has answered a watch or a list of a namespace's jobs."""
        if status < HTTPStatus.BAD_REQUEST:
            self._failures.pop(name, None)
        elif status == HTTPStatus.FORBIDDEN:
            self.lost(name, f"{status}: the operator has no right to list or watch jobs there")
        elif status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._failures[name] += 1
            if self._failures[name] >= FAILURES_IN_A_ROW:
                self.lost(name, f"{status}: the API server fails")
