"""What the API server was asked for during all the tests before this one: its audit log is looked at last."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.e2e.installation import Installation

AUDIT_LOG = "RECON_E2E_AUDIT_LOG"
"""File with the API server's audit log, where the tests run on its machine."""


@pytest.fixture
def asked(installation: Installation) -> list[dict[str, Any]]:
    """The requests of the shared installation's accounts."""
    log = os.environ.get(AUDIT_LOG)
    if not log:
        pytest.skip(f"{AUDIT_LOG} is not set")
    return list(requests(Path(log), f"system:serviceaccount:{installation.namespace}:"))


def requests(log: Path, accounts: str) -> Iterator[dict[str, Any]]:
    """Yield the requests of accounts whose names begin so; the last line may not be whole yet."""
    with log.open() as lines:
        for line in lines:
            if accounts in line and line.endswith("\n"):
                event = json.loads(line)
                if event["user"]["username"].startswith(accounts):
                    yield event


def test_the_operator_was_refused_nothing(asked: list[dict[str, Any]]) -> None:
    assert asked
    assert [e["requestURI"] for e in asked if e["responseStatus"]["code"] == 403] == []


def test_no_worker_asked_for_anything(asked: list[dict[str, Any]]) -> None:
    assert [event["requestURI"] for event in asked if event["user"]["username"].endswith("-worker")] == []
