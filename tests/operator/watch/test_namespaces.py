"""Which namespaces are missing, by what the API server answers about them."""

import pytest

from recon_operator.watch.liveness import DEAD_AFTER_S, WatchLiveness
from recon_operator.watch.namespaces import WatchedNamespaces
from tests.support.clocks import SettableClock


class Watched:
    """Two namespaces, their watches, and what was reported of them."""

    def __init__(self) -> None:
        self.clock, self.reports = SettableClock(), list[tuple[str, bool]]()
        self.watch = WatchLiveness(["shop", "lab"], self.clock)
        self.watch.begin()
        self.namespaces = WatchedNamespaces(
            ["shop", "lab"], self.watch, lambda name, why: self.reports.append((name, bool(why)))
        )


@pytest.mark.parametrize(
    ("answers", "missing"),
    [
        pytest.param([("shop", 403)], {"shop"}, id="one that may not be read is missing"),
        pytest.param([("shop", 200)], set(), id="one that is read is not"),
        pytest.param([("shop", 500), ("shop", 503)], set(), id="an API server that starts again takes none away"),
        pytest.param([("shop", 500)] * 3, {"shop"}, id="one that fails again and again is missing"),
        pytest.param(
            [("shop", 500), ("shop", 500), ("shop", 200), ("shop", 500)], set(), id="a success in between counts"
        ),
        pytest.param([("shop", 500), ("lab", 500), ("lab", 500)], set(), id="each namespace by itself"),
        pytest.param(
            [("shop", 410), ("shop", 429), ("shop", 401)], set(), id="other answers say nothing of a namespace"
        ),
        pytest.param([("elsewhere", 403)], set(), id="one that nobody watches is not missing"),
    ],
)
def test_what_is_missing(answers: list[tuple[str, int]], missing: set[str]) -> None:
    watched = Watched()
    for name, status in answers:
        watched.namespaces.answered(name, status)
    assert watched.namespaces.missing == missing
    assert watched.namespaces.present == {"shop", "lab"} - missing


def test_each_change_is_reported_once() -> None:
    watched = Watched()
    for _ in range(2):
        watched.namespaces.lost("shop", "403")
    for _ in range(2):
        watched.namespaces.found("shop")
    assert watched.reports == [("shop", True), ("shop", False)]


def test_a_missing_namespace_makes_no_watch_dead() -> None:
    watched = Watched()
    watched.namespaces.lost("shop", "403")
    watched.clock.now += DEAD_AFTER_S + 1
    watched.watch.heard("lab")
    watched.watch.heard("shop")
    assert not watched.watch.dead()
    watched.namespaces.found("shop")
    assert not watched.watch.dead(), "its watch is being opened again"
    watched.clock.now += DEAD_AFTER_S + 1
    watched.watch.heard("lab")
    assert watched.watch.dead()


def test_nothing_is_dead_while_all_are_missing() -> None:
    watched = Watched()
    for name in ("shop", "lab"):
        watched.namespaces.lost(name, "403")
    watched.watch.begin()
    watched.clock.now += DEAD_AFTER_S + 1
    assert not watched.watch.dead()
