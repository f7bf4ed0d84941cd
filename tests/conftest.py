"""What holds for every test: in CI, a test that cannot run is a failure."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.programs import left_out

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # a busy machine is no fault

MAY_BE_SKIPPED = ("gpu",)
"""Markers of tests that CI may skip: it has no CUDA device."""


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
