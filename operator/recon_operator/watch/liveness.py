"""Whether the watch lives: when each watched namespace last brought an event, or its watch was opened by the API server.

kopf keeps the API server's bookmarks to itself, so in a quiet cluster nothing tells of a healthy watch but that it is opened
anew whenever it has ended, every `WATCH_S` at the latest. One that is silent for longer than a bookmark takes kopf breaks
off and opens again. So the age stays below `WATCH_S` and a little as long as the API server answers, and grows when it
does not.
"""

import re
import time
from collections.abc import Callable, Sequence
from types import SimpleNamespace

import aiohttp

WATCH_S = 110
"""How long the API server keeps a watch open; kopf opens the next one where it ended, and misses nothing."""

DEAD_AFTER_S = 300.0
"""A watch of this age is dead: no event, and not opened again in two more tries of kopf's."""

EVERYWHERE = ""

_NAMESPACE = re.compile(r"/namespaces/([^/]+)/")


class WatchLiveness:
    """The signs of life of the watches that run, none while no watch is to run."""

    def __init__(self, namespaces: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        """Expect a watch of each of these namespaces, or one of all; none has begun."""
        self._namespaces, self._clock = namespaces or (EVERYWHERE,), clock
        self._heard: dict[str, float] = {}

    def begin(self) -> None:
        """Record that watches are being opened: from now on they have an age."""
        self._heard = dict.fromkeys(self._namespaces, self._clock())

    def end(self) -> None:
        """Record that no watch is to run any more."""
        self._heard = {}

    def heard(self, namespace: str) -> None:
        """Record a sign of life of the watch of this namespace."""
        name = namespace if namespace in self._heard else EVERYWHERE
        if name in self._heard:
            self._heard[name] = self._clock()

    def age_s(self) -> float:
        """Return how long the most silent watch has been silent; 0 while none is to run."""
        return self._clock() - min(self._heard.values()) if self._heard else 0.0

    def dead(self) -> bool:
        """Say whether a watch is dead."""
        return self.age_s() > DEAD_AFTER_S

    def trace(self) -> aiohttp.TraceConfig:
        """Return what has an HTTP client tell this of each watch that the API server opens."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._opened)
        return config

    async def _opened(
        self, _session: aiohttp.ClientSession, _context: SimpleNamespace, answer: aiohttp.TraceRequestEndParams
    ) -> None:
        if answer.url.query.get("watch") == "true" and answer.response.ok:
            found = _NAMESPACE.search(answer.url.path)
            self.heard(found[1] if found else EVERYWHERE)
