"""What a dashboard is made of, and Grafana's JSON for it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
SCHEMA_VERSION = 39
"""Of Grafana 11; later ones bring it up to date by themselves."""

WIDTH = 24
"""Of Grafana's grid."""


@dataclass(frozen=True)
class Query:
    """One query of a panel."""

    expression: str
    legend: str = ""
    """What a series is called; `{{label}}` stands for a label's value."""


@dataclass(frozen=True)
class Panel:
    """One picture."""

    title: str
    description: str
    """What it shows, and what to look for."""
    queries: tuple[Query, ...]
    unit: str = "short"
    """Grafana's name of a unit."""
    kind: str = "timeseries"
    """`timeseries`, `stat` (the latest value as a number) or `bargauge` (the latest value of each series)."""
    width: int = 8
    stacked: bool = False


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Variable:
    """What a reader can choose."""

    name: str
    label: str
    values_of: tuple[str, str] | None = None
    """Metric and label whose values are to choose from; else a text is to be typed."""
    default: str = ""


@dataclass(frozen=True)
class Dashboard:
    """One page."""

    uid: str
    title: str
    description: str
    rows: tuple[Row, ...]
    variables: tuple[Variable, ...] = ()
    period: str = "6h"
    tags: tuple[str, ...] = field(default=("reconstruction",))

    def panels(self) -> Iterator[Panel]:
        """Yield all panels."""
        for row in self.rows:
            yield from row.panels


def render(dashboard: Dashboard) -> str:
    """Return the dashboard as Grafana takes it."""
    document = {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": list(dashboard.tags),
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": f"now-{dashboard.period}", "to": "now"},
        "timezone": "browser",
        "links": [_links()],
        "templating": {"list": [_SOURCE_VARIABLE, *(_variable(each) for each in dashboard.variables)]},
        "annotations": {"list": []},
        "panels": list(_panels(dashboard.rows)),
    }
    return json.dumps(document, indent=2) + "\n"


_SOURCE_VARIABLE = {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _links() -> dict[str, Any]:
    return {
        "title": "Reconstruction",
        "type": "dashboards",
        "tags": ["reconstruction"],
        "asDropdown": True,
        "icon": "external link",
        "includeVars": False,
        "keepTime": True,
        "targetBlank": False,
        "tooltip": "The others",
    }


def _variable(variable: Variable) -> dict[str, Any]:
    if variable.values_of is None:
        return {
            "name": variable.name,
            "label": variable.label,
            "type": "textbox",
            "query": variable.default,
            "current": {"text": variable.default, "value": variable.default},
        }
    metric, label = variable.values_of
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values({metric}, {label})", "refId": variable.name},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panels(rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
    ids, y = count(1), 0
    for row in rows:
        yield {
            "id": next(ids),
            "type": "row",
            "title": row.title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"h": 1, "w": WIDTH, "x": 0, "y": y},
        }
        y, x, line_height = y + 1, 0, 0
        for panel in row.panels:
            height = 4 if panel.kind == "stat" else 8
            if x + panel.width > WIDTH:
                x, y, line_height = 0, y + line_height, 0
            yield _panel(panel, next(ids), {"h": height, "w": panel.width, "x": x, "y": y})
            x, line_height = x + panel.width, max(line_height, height)
        y += line_height


def _panel(panel: Panel, number: int, position: dict[str, int]) -> dict[str, Any]:
    latest = panel.kind != "timeseries"
    custom = {"stacking": {"mode": "normal"}, "fillOpacity": 30} if panel.stacked else {"fillOpacity": 5}
    reduced = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": SOURCE,
        "gridPos": position,
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, **({} if latest else {"custom": custom})},
            "overrides": [],
        },
        "options": reduced
        if latest
        else {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": SOURCE,
                "expr": query.expression,
                "legendFormat": query.legend or "__auto",
                "instant": latest,
                "range": not latest,
            }
            for index, query in enumerate(panel.queries)
        ],
    }


def quantiles(histogram: str, by: str = "", where: str = "", of: Sequence[float] = (0.5, 0.95)) -> tuple[Query, ...]:
    """Return the queries of these quantiles of a histogram, for each value of the label `by`."""
    labels = ", ".join(filter(None, ["le", by]))
    legend = f"{{{{{by}}}}} " if by else ""
    return tuple(
        Query(
            f"histogram_quantile({q}, sum by ({labels}) (rate({histogram}_bucket{where}[$__rate_interval])))",
            f"{legend}p{q * 100:.0f}",
        )
        for q in of
    )
