"""Alerts as pages read them: what fires, grouped by cause, what was; and the budgets of objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance.alerts.indicators import INDICATORS, observed_days
from governance.alerts.kinds import CAUSES
from governance.alerts.noise import Noise, noisy
from governance.alerts.objectives import Standing, standings
from storage import alerts, deliveries, indicators
from storage.database import Read
from storage.records.alerts import Alert, AlertState, Delivery, Silence
from storage.records.clock import DAY, HOUR, MINUTE

STEPS = 60
GRAVITY: tuple[AlertState, ...] = ("firing", "acknowledged", "silenced", "resolved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One alert with where it stands, what silences it, and how its messages went."""

    alert: Alert
    state: AlertState
    silence: Silence | None
    sent: tuple[Delivery, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """What is not over, what was within the range, and what is noisy."""

    open: tuple[Told, ...]
    over: tuple[Told, ...]
    noisy: tuple[Noise, ...]

    def by_cause(self) -> Mapping[str, tuple[Told, ...]]:
        """Return what is not over by cause, the gravest group first."""
        groups: dict[str, list[Told]] = {}
        for one in sorted(self.open, key=gravity):
            groups.setdefault(one.alert.cause, []).append(one)
        return {CAUSES.get(cause, cause): tuple(group) for cause, group in groups.items()}


def gravity(one: Told) -> tuple[int, bool, int]:
    """Return by what alerts are ordered: where they stand, whether somebody is woken, how old they are."""
    return GRAVITY.index(one.state), one.alert.severity != "page", one.alert.fired_at


def board(read: Read, *, now: int, audiences: Sequence[str], start: int, end: int) -> Board:
    """Return the alerts of some audiences."""
    silences = alerts.silences(read, now=now)
    opened = [one for one in alerts.unresolved(read) if one.audience in audiences]
    found = alerts.listed(read, start=start, end=end, audiences=audiences)
    ended = [one for one in found if one.resolved_at is not None]
    sent: dict[str, list[Delivery]] = {}
    for each in deliveries.of_alerts(read, [one.alert_id for one in (*opened, *ended)]):
        sent.setdefault(each.alert_id, []).append(each)

    def told(alert: Alert) -> Told:
        held = silences.get(alert.fingerprint)
        return Told(
            alert=alert,
            state=alert.state(held, now),
            silence=held if held is not None and held.holds(now) else None,
            sent=tuple(sent.get(alert.alert_id, ())),
        )

    return Board(
        open=tuple(told(one) for one in opened),
        over=tuple(told(one) for one in ended),
        noisy=tuple(noisy(found, alerts.silenced_since(read, start))),
    )


def one(read: Read, *, alert_id: str, now: int, audiences: Sequence[str]) -> Told | None:
    """Return one alert, if it is of an audience that the reader belongs to."""
    alert = alerts.find(read, alert_id)
    if alert is None or alert.audience not in audiences:
        return None
    held = alerts.silences(read, now=now).get(alert.fingerprint)
    sent = deliveries.of_alerts(read, [alert_id])
    return Told(alert=alert, state=alert.state(held, now), silence=held, sent=tuple(sent))


def awaiting(read: Read, *, minute: int, audiences: Sequence[str]) -> int:
    """Return how many alerts wait for somebody, in the minute that ``minute`` counts."""
    return alerts.awaiting(read, now=(minute + 1) * MINUTE, audiences=audiences)


@dataclass(frozen=True, slots=True, kw_only=True)
class Budgeted:
    """An objective, where it stands, and its share of good ones over its period, step by step; a gap is None."""

    standing: Standing
    tells: str
    observed_days: float
    shares: tuple[tuple[int, float | None], ...]


def budgets(read: Read, *, now: int) -> tuple[Budgeted, ...]:
    """Return every objective that is on, those that burn first."""
    made = []
    for each in standings(read, now=now):
        slo = each.slo
        days = observed_days(read, now=now, period_days=slo.period_days)
        width = max(HOUR, int(min(days, slo.period_days) * DAY)) // STEPS // MINUTE * MINUTE or MINUTE
        start = (now - STEPS * width) // width * width
        found = indicators.by_step(read, slo.indicator, start=start, end=now, step_us=width)
        shares = tuple((at, found[at][0] / found[at][1] if at in found else None) for at in range(start, now, width))
        made.append(Budgeted(standing=each, tells=INDICATORS[slo.indicator].tells, observed_days=days, shares=shares))
    return tuple(sorted(made, key=lambda one: (not any(burn.fires for burn in one.standing.burns), _left(one))))


def _left(one: Budgeted) -> float:
    return 2.0 if one.standing.budget.left is None else one.standing.budget.left


def burned_down(
    read: Read, *, indicator: str, objective: float, start: int, end: int
) -> tuple[tuple[tuple[int, float | None], ...], tuple[int, ...]]:
    """Return what was left of a range's budget step by step, 1 at its beginning, and how many counted in each step.

    The budget of the whole range is what its valid ones bear: left = 1 − bad so far ÷ (valid of all × (1 − objective)).
    """
    width = max(MINUTE, (end - start) // (3 * STEPS) // MINUTE * MINUTE)
    first = start // width * width
    found = indicators.by_step(read, indicator, start=first, end=end, step_us=width)
    whole = sum(valid for _, valid in found.values()) * (1.0 - objective)
    left, points, counts = 1.0, [], []
    for at in range(first, end, width):
        good, valid = found.get(at, (0, 0))
        if whole:
            left -= (valid - good) / whole
        points.append((at, left if at in found else None))
        counts.append(valid)
    return tuple(points), tuple(counts)
