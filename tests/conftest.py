"""What holds for every test: in CI, a test that cannot run is a failure."""

import os
from collections.abc import Generator

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import HealthCheck, settings

from tests.support.programs import left_out

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # a busy machine is no fault

MAY_BE_SKIPPED = ("gpu",)
"""Markers of tests that CI may skip: it has no CUDA device."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of an `xdist_group` in one process, as `--dist=loadgroup` says.

    pytest-xdist 3.8 writes the group into an attribute that pytest 9.2 reads no longer, so its own hook changes nothing.
    """
    if not config.getoption("loadgroup", default=False):
        return
    for item in items:
        groups = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")})
        if groups and "@" not in item.nodeid.rpartition("]")[2]:
            item._id = coerce_node_id(f"{item.nodeid}@{'_'.join(groups)}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where `CI` is set: a missing server or photo set must not hide there."""
    report = yield
    allowed = any(item.get_closest_marker(name) for name in MAY_BE_SKIPPED) or hasattr(report, "wasxfail")
    if report.skipped and os.environ.get("CI") and not allowed:
        report.outcome = "failed"
        report.longrepr = f"skipped, but CI must run it: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in a line at the end what was left out for want of a program, and how to get it."""
    skipped = terminalreporter.stats.get("skipped", [])
    for line in left_out([str(report.longrepr) for report in skipped]):
        terminalreporter.write_line(line, yellow=True)
