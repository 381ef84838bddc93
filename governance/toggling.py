"""Toggles: written, turned on and off, edited, put back and deleted, by those who run campaigns."""

from governance.edited import Edited
from governance.installation import installation
from governance.toggle_validity import toggle_problems
from storage import toggles
from storage.database import Read
from storage.errors import Problem
from storage.records.changes import Level
from storage.records.document import document
from storage.records.toggles import Toggle, ToggleRule

NARROW_RISE = 0.10
NARROW_LIMIT = 0.50
_TOLERANCE = 1e-9


@document
class NewToggle:
    """A toggle, whole."""

    toggle: Toggle


def share_of(rule: ToggleRule) -> float:
    """Return which share of everyone a rule may reach whoever they are; one with a condition is counted as narrow.

    >>> share_of(ToggleRule(key="r", value=True, coverage=0.2)), share_of(ToggleRule(key="r", value=True))
    (0.2, 1.0)
    """
    if rule.when or (rule.value is None and not rule.variations):
        return 0.0
    if rule.ranges:
        return min(sum(high - low for low, high in rule.ranges), 1.0)
    return 1.0 if rule.coverage is None else rule.coverage


def reach(toggle: Toggle | None) -> float:
    """Return which share of everyone gets something else than the default, at most."""
    if toggle is None or not toggle.enabled:
        return 0.0
    return min(sum(map(share_of, toggle.rules)), 1.0)


def level_of(before: Toggle | None, after: Toggle) -> Level:
    """Return how dangerous an edit is: broad is what raises the reach by more than ten points or past the half, or
    gives everyone another default."""
    rise = reach(after) - reach(before)
    if before is not None and before.default != after.default:
        return "D2"
    broad = rise > NARROW_RISE + _TOLERANCE or (rise > _TOLERANCE and reach(after) > NARROW_LIMIT)
    return "D2" if broad else "D1"


def problems_of(read: Read, toggle: Toggle) -> tuple[Problem, ...]:
    """Return what is wrong with a toggle, among the others."""
    others = {one.toggle.key: one.toggle for one in toggles.listed(read) if one.toggle.key != toggle.key}
    return toggle_problems(toggle, installation(read), others=others)


def askers(read: Read, key: str) -> tuple[str, ...]:
    """Return the toggles that name one as a prerequisite."""
    return tuple(
        one.toggle.key
        for one in toggles.listed(read)
        if any(wanted.toggle == key for rule in one.toggle.rules for wanted in rule.requires)
    )


def _stays_of_its_kind(before: Toggle, after: Toggle) -> tuple[Problem, ...]:
    if before.kind == after.kind:
        return ()
    return (Problem(field="toggle.kind", message="stays what it was: programs ask for it by kind; make another"),)


def _wanted(read: Read, key: str) -> str:
    asking = askers(read, key)
    return "other toggles ask for this one first: " + ", ".join(asking) if asking else ""


def _back_level(before: Toggle, after: Toggle) -> Level:
    """Going back is safe where it lowers what people get; where the earlier one reached more, it is an edit."""
    return "safe" if reach(after) <= reach(before) + _TOLERANCE else level_of(before, after)


ACTIONS = Edited(
    noun="toggle",
    store=toggles,
    payload=NewToggle,
    problems=problems_of,
    level=level_of,
    back=_back_level,
    lasting=_stays_of_its_kind,
    wanted=_wanted,
    rechecked=True,
).actions()
