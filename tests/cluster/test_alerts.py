"""The alerts: valid, each of them tried when it must fire and when it must not, each with a section in the runbook."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.docs.test_docs import anchors
from tests.support.programs import PROMETHEUS
from tests.support.prometheus import ALERTS, alert_rules

ROOT = Path(__file__).parents[2]
UNIT_TESTS = ROOT / "tests/alerts/reconstruction.test.yaml"
EACH_ALERT = pytest.mark.parametrize("rule", [pytest.param(rule, id=rule["alert"]) for rule in alert_rules()])

needs_promtool = pytest.mark.skipif(not PROMETHEUS.installed, reason=PROMETHEUS.reason)


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["check", "rules", *map(str, ALERTS.glob("*.yaml"))], id="the rules are valid"),
        pytest.param(["test", "rules", str(UNIT_TESTS)], id="each fires when it should, and only then"),
    ],
)
def test_promtool(arguments: list[str]) -> None:
    ran = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@EACH_ALERT
def test_it_is_tried_when_it_fires_and_when_it_does_not(rule: dict[str, Any]) -> None:
    tests = yaml.safe_load(UNIT_TESTS.read_text())["tests"]
    expected = [
        case["exp_alerts"] for test in tests for case in test["alert_rule_test"] if case["alertname"] == rule["alert"]
    ]
    assert sorted(map(bool, expected)) == [False, True]


@EACH_ALERT
def test_whoever_is_woken_finds_what_to_do(rule: dict[str, Any]) -> None:
    path, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert anchor == rule["alert"].lower()
    assert anchor in anchors(ROOT / path)
    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in {"critical", "warning"}
