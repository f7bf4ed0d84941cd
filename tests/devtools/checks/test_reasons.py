"""The check of reasons: what gives one, and what only speaks of it."""

import ast

import pytest

from recon_dev.checks.reasons import GIVEN_ELSEWHERE, documented_reasons, findings

NEVER = ["reasons.LOST: documented, but no code of operator or worker gives it"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("", NEVER, id="a reason that nothing names"),
        pytest.param("end(job, reasons.LOST)", [], id="a reason that is given"),
        pytest.param("from recon_api.reasons import LOST\nraise UsageError(LOST, text)", [], id="one by its own name"),
        pytest.param("from recon_api.reasons import LOST", NEVER, id="one that is imported only"),
        pytest.param("if reason == reasons.LOST.name: wait()", NEVER, id="one that is compared with only"),
        pytest.param("GOOD = {reasons.LOST}", NEVER, id="one that stands in a set only"),
        pytest.param("REASON_OF = {KeyError: reasons.LOST}", [], id="one that a table gives"),
    ],
)
def test_what_gives_a_reason(source: str, expected: list[str]) -> None:
    assert findings(["LOST"], [ast.parse(source)]) == expected


def test_an_exception_needs_to_be_one() -> None:
    assert findings(["LOST"], [ast.parse("")], {"LOST": "others give it"}) == []
    assert findings(["LOST"], [ast.parse("end(reasons.LOST)")], {"LOST": "others give it"}) == [
        "reasons.LOST: listed as given elsewhere, but it is given here"
    ]


def test_all_reasons_are_looked_for() -> None:
    assert {"QUEUED", "WORKER_LOST", *GIVEN_ELSEWHERE} <= set(documented_reasons())
