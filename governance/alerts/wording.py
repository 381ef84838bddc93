"""What an alert says to who is woken by it: what, since when, how fast it burns, where, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from governance.alerts.kinds import CAUSES, kind_of
from governance.alerts.runbooks import RUNBOOKS
from storage.records.alerts import Alert, Occasion
from storage.records.clock import iso

HEADS: Mapping[Occasion, str] = {"fired": "FIRING", "resolved": "RESOLVED", "test": "TEST"}
FIELDS = ("what", "since", "slo", "burn", "top", "runbook", "alert", "silence")
"""What every message holds, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: a line, a text, and the same as fields for machines."""

    title: str
    body: str
    document: Mapping[str, Any]


def _burn(alert: Alert) -> str:
    burns = alert.figures.get("burn")
    if not isinstance(burns, Mapping):
        return "no objective concerned"
    told = [
        f"{one['rate']:.1f}× over {span} (n {one['n']:,})" if one.get("rate") is not None else f"nothing over {span}"
        for span, one in burns.items()
    ]
    left = alert.figures.get("left")
    return ", ".join(told) + ("" if left is None else f"; {left:,.0%} of the budget left")


def message(alert: Alert, occasion: Occasion, *, dashboard: str, environment: str) -> Message:
    """Return the message of an alert.

    Parameters
    ----------
    dashboard
        Where browsers find the dashboard; links point there.
    environment
        The installation's name, so that nobody wakes up for the wrong one.
    """
    kind = kind_of(alert.name)
    here = f"{dashboard}/alerts?alert={alert.alert_id}"
    over = f" until {iso(alert.resolved_at)}" if alert.resolved_at is not None and occasion == "resolved" else ""
    fields = {
        "what": alert.sentence,
        "since": f"{iso(alert.since)}{over}",
        "slo": alert.slo or "none",
        "burn": _burn(alert),
        "top": alert.top or "nothing stands out",
        "runbook": f"{dashboard}/alerts?runbook={alert.name if alert.name in RUNBOOKS else 'unknown'}",
        "alert": here,
        "silence": f"{here}&do=silence",
    }
    mark = "This is a test; nothing is wrong.\n" if occasion == "test" else ""
    why = f"Over: {alert.resolved_why}\n" if occasion == "resolved" else ""
    labels = {"slo": "SLO", "top": "Differs most", "alert": "Open", "silence": "Silence"}
    lines = [f"{labels.get(name, name.capitalize())}: {value}" for name, value in fields.items()]
    return Message(
        title=f"[{HEADS[occasion]}] {environment}: {alert.title}",
        body=mark + why + "\n".join(lines),
        document={
            **fields,
            "occasion": occasion,
            "environment": environment,
            "alert_id": alert.alert_id,
            "fingerprint": alert.fingerprint,
            "name": alert.name,
            "severity": alert.severity,
            "cause": CAUSES.get(alert.cause, alert.cause),
            "page": f"{dashboard}/{kind.page}",
            "test": occasion == "test" or alert.test,
        },
    )
