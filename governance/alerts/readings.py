"""What may be an alert at this moment: the last words of checks and the budgets of objectives, as readings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from governance.alerts.burn import SLOW, Burn, worst
from governance.alerts.kinds import KINDS, RIGHTS, kind_of
from governance.alerts.objectives import Standing
from storage.records.alerts import Audience, Severity
from storage.records.clock import HOUR, SECOND
from storage.records.verdicts import CheckVerdict

State = Literal["bad", "good", "unknown"]
QUIET = 5 * 60 * SECOND
"""A verdict that is older says nothing of now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One thing that is bad, good or unknown now; the rest is what an alert of it would say."""

    fingerprint: str
    name: str
    state: State
    title: str
    cause: str
    audience: Audience
    severity: Severity
    sentence: str
    since: int
    figures: Mapping[str, Any] = field(default_factory=dict)
    slo: str = ""
    indicator: str = ""
    span: tuple[int, int] = (0, 0)
    """Between which instants one looks for what differs most."""


def of_check(told: CheckVerdict, *, every_us: int, now: int) -> Reading:
    """Return what the last word of a check means for alerts; one that has not looked lately is unknown."""
    kind = kind_of(told.check)
    alarming = told.verdict == "fail" or (told.verdict == "warn" and kind.warns)
    held = told.seen - told.since >= kind.hold_s * SECOND
    old = now - told.seen > max(QUIET, 3 * every_us)
    state: State = "unknown" if old or told.verdict == "unknown" or (alarming and not held) else "good"
    return Reading(
        fingerprint=f"check:{told.check}",
        name=told.check,
        state="bad" if alarming and held and not old else state,
        title=kind.title,
        cause=kind.cause,
        audience=kind.audience,
        severity="page" if told.verdict == "fail" else "look",
        sentence=told.sentence,
        since=told.since,
        figures=told.figures,
        indicator=kind.indicator,
        span=(min(told.since, told.seen - HOUR // 4), told.seen),
    )


def _rate(value: float | None) -> str:
    return "nothing" if value is None else f"{value:,.1f}×"


def _sentence(standing: Standing, burn: Burn) -> str:
    slo, left = standing.slo, standing.budget.left
    spent = "" if left is None else f" {left:,.0%} of the budget of {slo.period_days} days is left."
    if burn.by == "count":
        bad = f"{burn.long.bad} of only {burn.long.valid:,} were bad in {_span(burn.window.long_s)}"
        return f"{slo.title or slo.key}: {bad}, beyond chance more than {burn.window.factor:g}× the budget.{spent}"
    burns = f"{_rate(burn.long_rate)} over {_span(burn.window.long_s)}, {_rate(burn.short_rate)} over"
    words = f"{slo.title or slo.key}: the budget burns {burns} {_span(burn.window.short_s)}"
    return f"{words}; {burn.window.factor:g}× alerts.{spent}"


def _span(seconds: int) -> str:
    """Return a window in its largest whole unit.

    >>> _span(300), _span(3_600), _span(259_200)
    ('5 min', '1 h', '3 d')
    """
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:g} {unit}"
    return f"{seconds} s"


def of_slo(standing: Standing, *, now: int) -> Reading:
    """Return what the budget of an objective means for alerts; of several windows that burn the fastest is told."""
    burn = worst(standing.burns)
    observed = any(one.long.valid for one in standing.burns)
    kind, slo = KINDS["slo"], standing.slo
    figures: dict[str, Any] = {
        "objective": slo.objective,
        "left": standing.budget.left,
        "burn": {
            _span(one.window.long_s): {"rate": one.long_rate, "bad": one.long.bad, "n": one.long.valid}
            for one in standing.burns
        },
    }
    state: State = "good" if observed else "unknown"
    told = burn or standing.burns[0]
    return Reading(
        fingerprint=f"slo:{slo.key}",
        name="slo",
        state="bad" if burn else state,
        title=f"{slo.title or slo.key}: {kind.title[:1].lower()}{kind.title[1:]}",
        cause=RIGHTS if slo.indicator == "consent" else kind.cause,
        audience=kind.audience,
        severity="page" if burn and burn.window.factor >= SLOW else "look",
        sentence=_sentence(standing, told),
        since=now,
        figures=figures,
        slo=slo.key,
        indicator=slo.indicator,
        span=(now - told.window.long_s * SECOND, now),
    )


def readings(
    told: Mapping[str, CheckVerdict], every_s: Mapping[str, float], standings: Iterable[Standing], *, now: int
) -> tuple[Reading, ...]:
    """Return every reading; a check that nobody asks any more is left out."""
    checks = [
        of_check(each, every_us=int(every_s[name] * SECOND), now=now) for name, each in told.items() if name in every_s
    ]
    return (*checks, *(of_slo(each, now=now) for each in standings))
