"""Toggles: written, turned on and off, edited, put back and deleted, by those who run campaigns."""

from dataclasses import replace

from governance.actions import Ground, Nothing, Step, always, found, marketing, refuse, untagged
from governance.installation import installation
from governance.toggle_validity import toggle_problems
from storage import toggles
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.changes import Level
from storage.records.document import document, dump
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


def _find(read: Read, key: str) -> toggles.StoredToggle:
    stored: toggles.StoredToggle = found(toggles.find(read, key), "toggle")
    return stored


def _etag(read: Read, key: str) -> str:
    stored = toggles.find(read, key)
    return stored.etag if stored else ""


def _step(before: Toggle | None, stored: toggles.StoredToggle) -> Step:
    return Step(before=dump(before) if before else None, after=dump(stored.toggle), etag=stored.etag)


def _key_problems(key: str, toggle: Toggle) -> tuple[Problem, ...]:
    return () if key == toggle.key else (Problem(field="toggle.key", message="differs from the key addressed"),)


def _create(write: Write, key: str, payload: NewToggle, ground: Ground) -> Step:
    toggle = replace(payload.toggle, version=1)
    refuse(_key_problems(key, toggle) + problems_of(write, toggle))
    if toggles.find(write, key) is not None:
        raise Conflict("there is a toggle of this key already")
    return _step(None, toggles.save(write, toggle, previous=None, at=ground.at))


def _edit(write: Write, key: str, payload: NewToggle, ground: Ground) -> Step:
    before = _find(write, key).toggle
    after = replace(payload.toggle, version=before.version)
    refuse(_key_problems(key, after) + problems_of(write, after))
    if before.kind != after.kind:
        refuse((Problem(field="toggle.kind", message="stays what it was: programs ask for it by kind; make another"),))
    if before == after:
        raise Conflict("the toggle is like this already")
    return _step(before, toggles.save(write, replace(after, version=before.version + 1), previous=before, at=ground.at))


def _rollback(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    """Put back what the last edit replaced, as a new version; what was off then, or is off now, stays off."""
    stored = _find(write, key)
    before, earlier = stored.toggle, stored.previous
    if earlier is None:
        raise Conflict("this toggle was never edited; disable it to be without it")
    after = replace(earlier, version=before.version + 1, enabled=earlier.enabled and before.enabled)
    refuse(problems_of(write, after))
    return _step(before, toggles.save(write, after, previous=before, at=ground.at))


def _turned(write: Write, key: str, at: int, *, on: bool) -> Step:
    stored = _find(write, key)
    before = stored.toggle
    if before.enabled == on:
        raise Conflict(f"the toggle is {'on' if on else 'off'} already")
    after = replace(before, enabled=on)
    if on:
        refuse(problems_of(write, after))
    return _step(before, toggles.save(write, after, previous=stored.previous, at=at))


def _enable(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    return _turned(write, key, ground.at, on=True)


def _disable(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    return _turned(write, key, ground.at, on=False)


def _delete(write: Write, key: str, _payload: Nothing, _ground: Ground) -> Step:
    before = _find(write, key).toggle
    if before.enabled:
        raise Conflict("this toggle is on; disable it first")
    if asking := askers(write, key):
        raise Conflict("other toggles ask for this one first: " + ", ".join(asking))
    toggles.remove(write, key)
    return Step(before=dump(before), after=None)


def _create_level(_read: Read, _key: str, payload: NewToggle) -> Level:
    return level_of(None, payload.toggle)


def _edit_level(read: Read, key: str, payload: NewToggle) -> Level:
    return level_of(_find(read, key).toggle, payload.toggle)


def _enable_level(read: Read, key: str, _payload: Nothing) -> Level:
    before = _find(read, key).toggle
    return level_of(before, replace(before, enabled=True))


def _rollback_level(read: Read, key: str, _payload: Nothing) -> Level:
    """Going back is safe where it lowers what people get; where the earlier one reached more, it is an edit."""
    stored = _find(read, key)
    if stored.previous is None:
        return "safe"
    after = replace(stored.previous, enabled=stored.previous.enabled and stored.toggle.enabled)
    return "safe" if reach(after) <= reach(stored.toggle) + _TOLERANCE else level_of(stored.toggle, after)


ACTIONS = (
    marketing("toggle.create", _create, _create_level, payload=NewToggle, etag=untagged),
    marketing("toggle.edit", _edit, _edit_level, payload=NewToggle, tagged=True, etag=_etag),
    marketing("toggle.enable", _enable, _enable_level, etag=_etag),
    marketing("toggle.disable", _disable, always("safe"), etag=_etag),
    marketing("toggle.rollback", _rollback, _rollback_level, etag=_etag),
    marketing("toggle.delete", _delete, always("D1"), tagged=True, etag=_etag),
)
