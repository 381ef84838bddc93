"""The Grafana dashboard, made from the registry of metrics: nothing in it is written by hand twice."""

from collections.abc import Mapping, Sequence
from typing import Any

from fairlead.monitoring.panels import HEIGHT, MINE, SOURCE, WIDTH, first_row, objectives, of_family
from fairlead.monitoring.registry import CONTROL, registry
from storage.records.metrics import Family

COLUMNS = 24
SECTIONS: Mapping[str, tuple[str, ...]] = {
    "Decisions": ("decision", "exploration", "candidates", "exposure"),
    "Consent": ("consent", "gpc"),
    "Policies and caps": ("policy", "cap", "revision"),
    "Events": ("events", "event", "durable", "dead", "item", "log"),
    "HTTP": ("http",),
    "Models": ("model",),
    "Caches and dependencies": ("cache", "dependency", "circuit"),
}
"""Section of the engine by the first word of a metric's name; the rest is the process itself."""


def _section(family: Family) -> str:
    word = family.name.removeprefix("fairlead_").split("_")[0]
    return next((title for title, words in SECTIONS.items() if word in words), "Process")


def _sections() -> dict[str, list[Family]]:
    found: dict[str, list[Family]] = {title: [] for title in (*SECTIONS, "Process", "Control")}
    for job, families in registry().items():
        for family in families:
            found["Control" if job == CONTROL else _section(family)].append(family)
    return found


def _placed(panels: Sequence[dict[str, Any]], top: int, first: int) -> list[dict[str, Any]]:
    """Give panels their places below ``top``, two a line, and their numbers from ``first``."""
    return [
        {
            **panel,
            "id": first + number,
            "gridPos": {
                "x": number * WIDTH % COLUMNS,
                "y": top + number * WIDTH // COLUMNS * HEIGHT,
                "w": WIDTH,
                "h": HEIGHT,
            },
        }
        for number, panel in enumerate(panels)
    ]


def _variable(name: str, label: str, query: str) -> dict[str, Any]:
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
    }


def dashboard() -> dict[str, Any]:
    """Return the dashboard in Grafana's JSON model.

    Notes
    -----
    https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
    """
    rows: list[dict[str, Any]] = []
    top, number = 0, 1
    sections = [("Is it well?", first_row(), False), ("Objectives", objectives(), False)]
    sections += [(title, [of_family(one) for one in families], True) for title, families in _sections().items()]
    for title, panels, folded in sections:
        row = {"type": "row", "title": title, "id": number, "collapsed": folded, "panels": []}
        row["gridPos"] = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
        placed = _placed(panels, top + 1, number + 1)
        rows += [{**row, "panels": placed}] if folded else [row, *placed]
        number += 1 + len(placed)
        top += 1 + (0 if folded else -(-len(placed) * WIDTH // COLUMNS) * HEIGHT)
    return {
        "uid": "fairlead",
        "title": "Fairlead",
        "description": "Made by `fairlead metrics grafana` from the registry of metrics.",
        "tags": ["fairlead"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "utc",
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {
            "list": [
                {"type": "datasource", "name": "datasource", "label": "Prometheus", "query": "prometheus"},
                _variable("environment", "Environment", "label_values(up{job=~\"fairlead-.*\"}, environment)"),
                _variable(
                    "replica", "Replica", 'label_values(up{job=~"fairlead-.*",environment=~"$environment"}, instance)'
                ),
            ]
        },
        "annotations": {
            "list": [
                {
                    "name": "New revision",
                    "enable": True,
                    "datasource": SOURCE,
                    "iconColor": "blue",
                    "expr": f"changes(fairlead_revision{{{MINE}}}[$__interval]) > 0",
                }
            ]
        },
        "panels": rows,
    }  # fmt: skip
