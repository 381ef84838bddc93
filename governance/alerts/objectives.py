"""Objectives: those of the house, those that people wrote in their place, and what each says now."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from governance.actions import Action
from governance.alerts.burn import Budget, Burn, Counted, budget, judge
from governance.alerts.house import HOUSE
from governance.alerts.indicators import INDICATORS
from governance.edited import Edited
from governance.validity import key_problems
from storage import indicators, slos
from storage.database import Read
from storage.errors import Problem
from storage.records.access import Scope
from storage.records.alerts import Slo
from storage.records.changes import Level
from storage.records.clock import DAY, SECOND
from storage.records.document import document


@document
class NewSlo:
    """An objective, whole."""

    slo: Slo


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one objective stands: what is left of its budget, and how fast it burns over each pair of windows."""

    slo: Slo
    own: bool
    budget: Budget
    burns: tuple[Burn, ...]


def in_force(read: Read) -> Mapping[str, tuple[Slo, bool]]:
    """Return every objective by key, and whether somebody wrote it."""
    written = {stored.slo.key: stored.slo for stored in slos.listed(read)}
    house = {one.key: (one, False) for one in HOUSE}
    return house | {key: (one, True) for key, one in written.items()}


def _counted(read: Read, indicator: str, seconds: int, now: int) -> Counted:
    good, valid = indicators.counted(read, indicator, start=now - seconds * SECOND, end=now)
    return Counted(good=good, valid=valid)


def standing(read: Read, slo: Slo, *, own: bool, now: int) -> Standing:
    """Return where an objective stands, from the minutes that were kept."""
    burns = tuple(
        judge(
            window,
            _counted(read, slo.indicator, window.long_s, now),
            _counted(read, slo.indicator, window.short_s, now),
            slo.objective,
        )
        for window in slo.windows
    )
    whole = _counted(read, slo.indicator, slo.period_days * DAY // SECOND, now)
    rate = burns[0].long_rate if burns else None
    left = budget(whole, slo.objective, period_days=slo.period_days, rate=rate)
    return Standing(slo=slo, own=own, budget=left, burns=burns)


def standings(read: Read, *, now: int) -> tuple[Standing, ...]:
    """Return where every objective stands that is on."""
    return tuple(standing(read, slo, own=own, now=now) for slo, own in in_force(read).values() if slo.enabled)


def _problems(_read: Read, slo: Slo) -> tuple[Problem, ...]:
    found = [*key_problems(slo.key, "slo.key")]
    if slo.indicator not in INDICATORS:
        found.append(Problem(field="slo.indicator", message="must be one of " + ", ".join(INDICATORS)))
    if not slo.windows:
        found.append(Problem(field="slo.windows", message="name one pair of windows at least"))
    if any(one.short_s >= one.long_s for one in slo.windows):
        found.append(Problem(field="slo.windows", message="the short window must be shorter than the long one"))
    return tuple(found)


def level_of(before: Slo | None, after: Slo) -> Level:
    """Tell how dangerous an objective is: to ask for less than before, or to watch less, takes a second person.

    >>> level_of(None, HOUSE[0]), level_of(HOUSE[0], Slo(key="availability", indicator="availability", objective=0.9))
    ('D1', 'D2')
    """
    before = before or next((one for one in HOUSE if one.key == after.key), None)
    if before is None:
        return "D1"
    looser = after.objective < before.objective or after.indicator != before.indicator
    return "D2" if looser or after.windows != before.windows or not after.enabled else "D1"


def _scoped(action: Action) -> Action:
    return replace(action, scope=Scope.POLICY_APPLY, propose=Scope.POLICY_PROPOSE, publishes=False)


ACTIONS = tuple(
    _scoped(action)
    for action in Edited(
        noun="slo", store=slos, payload=NewSlo, problems=_problems, level=level_of, switched=False
    ).actions()
)
