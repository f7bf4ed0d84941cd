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

Answered = Callable[[str, int], None]
"""Hears of each answer about a namespace, by its status."""

_NAMESPACE = re.compile(r"/namespaces/([^/]+)/")


class WatchLiveness:
    """The signs of life of the watches that run, none while no watch is to run."""

    def __init__(self, namespaces: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        """Expect a watch of each of these namespaces, or one of all; none has begun."""
        self._namespaces, self._clock = namespaces or (EVERYWHERE,), clock
        self._heard: dict[str, float] = {}
        self._begun, self._lost = False, set[str]()

    def begin(self) -> None:
        """Record that watches are being opened: from now on they have an age."""
        self._begun = True
        self._heard = {name: self._clock() for name in self._namespaces if name not in self._lost}

    def end(self) -> None:
        """Record that no watch is to run any more."""
        self._begun, self._heard = False, {}

    def lose(self, namespace: str) -> None:
        """Record that this namespace is not watched, for it cannot be: a new start of the operator would not help."""
        self._lost.add(namespace)
        self._heard.pop(namespace, None)

    def expect(self, namespace: str) -> None:
        """Record that the watch of this namespace is being opened again."""
        self._lost.discard(namespace)
        if self._begun:
            self._heard[namespace] = self._clock()

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

    def trace(self, answered: Answered | None = None) -> aiohttp.TraceConfig:
        """Return what has an HTTP client tell this of each watch that the API server opens, and `answered` of each answer."""
        config = aiohttp.TraceConfig()

        async def ended(_: aiohttp.ClientSession, __: SimpleNamespace, answer: aiohttp.TraceRequestEndParams) -> None:
            found = _NAMESPACE.search(answer.url.path)
            if answer.url.query.get("watch") == "true" and answer.response.ok:
                self.heard(found[1] if found else EVERYWHERE)
            if found and answered:
                answered(found[1], answer.response.status)

        config.on_request_end.append(ended)
        return config
