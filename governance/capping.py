"""Frequency caps of the installation: written, edited, put back and deleted by those who run campaigns."""

from governance.actions import Ground, Nothing, Step, always, found, marketing, refuse, untagged
from governance.cap_validity import cap_problems, loosens
from governance.installation import installation
from governance.validity import key_problems
from storage import campaigns, caps
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.caps import Cap
from storage.records.changes import Level
from storage.records.document import document, dump


@document
class NewCap:
    """A frequency cap, whole."""

    cap: Cap


def problems_of(read: Read, cap: Cap) -> tuple[Problem, ...]:
    """Return what is wrong with a cap of the installation."""
    known = frozenset(stored.campaign.key for stored in campaigns.listed(read))
    return tuple(cap_problems(cap, installation(read), keys=key_problems, campaigns=known))


def empties(cap: Cap) -> bool:
    """Tell whether a cap leaves nothing to show where nobody named a place.

    >>> empties(Cap(key="a", limit=0)), empties(Cap(key="a", limit=0, surfaces=("home",)))
    (True, False)
    """
    return cap.limit == 0 and not cap.surfaces and not cap.campaigns


def _find(read: Read, key: str) -> caps.StoredCap:
    stored: caps.StoredCap = found(caps.find(read, key), "cap")
    return stored


def _etag(read: Read, key: str) -> str:
    stored = caps.find(read, key)
    return stored.etag if stored else ""


def _key_problems(key: str, cap: Cap) -> tuple[Problem, ...]:
    return () if key == cap.key else (Problem(field="cap.key", message="differs from the key addressed"),)


def _saved(write: Write, before: Cap | None, after: Cap, at: int) -> Step:
    stored = caps.save(write, after, previous=before, at=at)
    return Step(before=dump(before) if before else None, after=dump(after), etag=stored.etag)


def _create(write: Write, key: str, payload: NewCap, ground: Ground) -> Step:
    refuse(_key_problems(key, payload.cap) + problems_of(write, payload.cap))
    if caps.find(write, key) is not None:
        raise Conflict("there is a cap of this key already")
    return _saved(write, None, payload.cap, ground.at)


def _edit(write: Write, key: str, payload: NewCap, ground: Ground) -> Step:
    before, after = _find(write, key).cap, payload.cap
    refuse(_key_problems(key, after) + problems_of(write, after))
    if before == after:
        raise Conflict("the cap is like this already")
    return _saved(write, before, after, ground.at)


def _rollback(write: Write, key: str, _payload: Nothing, ground: Ground) -> Step:
    """Put back what the last edit replaced."""
    stored = _find(write, key)
    if stored.previous is None:
        raise Conflict("this cap was never edited; delete it to be without it")
    return _saved(write, stored.cap, stored.previous, ground.at)


def _delete(write: Write, key: str, _payload: Nothing, _ground: Ground) -> Step:
    before = _find(write, key).cap
    caps.remove(write, key)
    return Step(before=dump(before), after=None)


def level_of(cap: Cap, before: Cap | None) -> Level:
    """Return how dangerous it is to serve a cap, ``before`` being what it replaces: lowering is narrow; raising,
    moving, or holding back everything is broad."""
    return "D2" if empties(cap) or (before is not None and loosens(before, cap)) else "D1"


def _create_level(_read: Read, _key: str, payload: NewCap) -> Level:
    return level_of(payload.cap, None)


def _edit_level(read: Read, key: str, payload: NewCap) -> Level:
    return level_of(payload.cap, _find(read, key).cap)


ACTIONS = (
    marketing("cap.create", _create, _create_level, payload=NewCap, etag=untagged),
    marketing("cap.edit", _edit, _edit_level, payload=NewCap, tagged=True, etag=_etag),
    marketing("cap.rollback", _rollback, always("safe"), etag=_etag),
    marketing("cap.delete", _delete, always("D2"), tagged=True, etag=_etag),
)
