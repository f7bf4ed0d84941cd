"""Traces are told where an endpoint is set and the extra is installed; a process runs without them too."""

import logging

import pytest

from recon_runtime.tracing import tracing_where_asked


def installed() -> str:
    return "spans"


def not_installed() -> str:
    raise ModuleNotFoundError("No module named 'opentelemetry'")


@pytest.mark.parametrize(
    ("endpoint", "load", "expected", "lines"),
    [
        pytest.param("", not_installed, "nothing", [], id="without an endpoint nothing is even imported"),
        pytest.param("http://collector", installed, "spans", [], id="with an endpoint spans are told"),
        pytest.param(
            "http://collector",
            not_installed,
            "nothing",
            ["no traces: No module named 'opentelemetry'; install reconstruction-operator[tracing]"],
            id="without the extra a line says how to get it",
        ),
    ],
)
def test_when_traces_are_told(endpoint, load, expected, lines, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert tracing_where_asked(endpoint, load, "nothing") == expected
    assert caplog.messages == lines
