"""How an alert lives, pure: it fires once, stays while it is true, is over when it has been good for a while."""

from dataclasses import replace

from governance.alerts.readings import Reading
from storage.records.alerts import Alert
from storage.records.clock import HOUR, MINUTE

REST = MINUTE
"""Good for so long, it is over."""
BACK = 10 * MINUTE
"""What comes back within so long is the same one."""
BLIND = HOUR
"""What nobody could tell for so long is closed, and said to be closed for that."""
SYSTEM = "system"


def begin(reading: Reading, *, alert_id: str, top: str, now: int) -> Alert:
    """Return a new alert."""
    return Alert(
        alert_id=alert_id,
        fingerprint=reading.fingerprint,
        name=reading.name,
        title=reading.title,
        cause=reading.cause,
        audience=reading.audience,
        severity=reading.severity,
        sentence=reading.sentence,
        since=min(reading.since, now),
        fired_at=now,
        seen_at=now,
        figures=reading.figures,
        slo=reading.slo,
        top=top,
    )


def again(alert: Alert, reading: Reading, now: int) -> Alert:
    """Return an alert that is over and came back: the same one, once more; who acknowledged it knows already, unless it
    is graver than it was."""
    return replace(stays(alert, reading, now), resolved_at=None, resolved_by="", resolved_why="", fires=alert.fires + 1)


def stays(alert: Alert, reading: Reading, now: int) -> Alert:
    """Return an alert as it is true now; one that has become graver is nobody's yet."""
    after = replace(alert, sentence=reading.sentence, figures=reading.figures, severity=reading.severity, seen_at=now)
    return replace(after, acked_at=None, acked_by="", acked_why="") if graver(alert, after) else after


def graver(before: Alert, after: Alert) -> bool:
    """Tell whether what waited for the working day wakes somebody now."""
    return (before.severity, after.severity) == ("look", "page")


def over(alert: Alert, reading: Reading | None, now: int) -> str:
    """Return why an open alert is over by itself, empty while it is not.

    Not knowing is no good news: what cannot be told stays open for an hour.
    """
    quiet = now - alert.seen_at
    if reading is not None and reading.state == "good":
        return f"it has been well for a while: {reading.sentence}" if quiet >= REST else ""
    if quiet < BLIND:
        return ""
    return "nobody can tell any more whether it is still true; it was last seen an hour ago"


def closed(alert: Alert, why: str, now: int, *, by: str = SYSTEM) -> Alert:
    """Return an alert that is over."""
    return replace(alert, resolved_at=now, resolved_by=by, resolved_why=why)
