"""The dashboards as Grafana reads them: every panel says what it shows, in a unit, and asks for metrics that exist."""

import json
import re
from typing import Any

import pytest

from recon_dev.generate.dashboards.fleet import FLEET
from recon_dev.generate.dashboards.grafana import Dashboard, render
from recon_dev.generate.dashboards.internals import INTERNALS
from recon_dev.generate.dashboards.namespaces import NAMESPACES
from recon_dev.generate.metrics_page import names

ALL = (FLEET, NAMESPACES, INTERNALS)
EACH = pytest.mark.parametrize("dashboard", [pytest.param(dashboard, id=dashboard.uid) for dashboard in ALL])


def panels(dashboard: Dashboard) -> list[dict[str, Any]]:
    return [panel for panel in json.loads(render(dashboard))["panels"] if panel["type"] != "row"]


def test_each_dashboard_has_its_own_uid_and_title() -> None:
    assert len({dashboard.uid for dashboard in ALL}) == len({dashboard.title for dashboard in ALL}) == len(ALL)


@EACH
def test_every_panel_explains_itself(dashboard: Dashboard) -> None:
    for panel in panels(dashboard):
        assert panel["title"]
        assert panel["description"].endswith((".", "?")), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]


@EACH
def test_panels_have_ids_of_their_own_and_do_not_overlap(dashboard: Dashboard) -> None:
    document = json.loads(render(dashboard))["panels"]
    assert len({panel["id"] for panel in document}) == len(document)
    cells = [
        (x, y)
        for panel in document
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24


@EACH
def test_every_metric_asked_for_is_served(dashboard: Dashboard) -> None:
    expressions = [target["expr"] for panel in panels(dashboard) for target in panel["targets"]]
    asked = {name for text in expressions for name in re.findall(r"\breconstruction_\w+", text)}
    assert asked <= names()


@EACH
def test_every_variable_used_is_defined(dashboard: Dashboard) -> None:
    document = json.loads(render(dashboard))
    defined = {variable["name"] for variable in document["templating"]["list"]} | {"__rate_interval", "__range"}
    assert set(re.findall(r"\$\{?(\w+)", json.dumps(document["panels"]))) - {"__all"} <= defined
