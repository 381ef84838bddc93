"""Frequency caps of the installation: written, edited, put back and deleted by those who run campaigns."""

from governance.cap_validity import cap_problems, loosens
from governance.edited import Edited
from governance.installation import installation
from governance.validity import key_problems
from storage import campaigns, caps
from storage.database import Read
from storage.errors import Problem
from storage.records.caps import Cap
from storage.records.changes import Level
from storage.records.document import document


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


def level_of(cap: Cap, before: Cap | None) -> Level:
    """Return how dangerous it is to serve a cap, ``before`` being what it replaces: lowering is narrow; raising,
    moving, or holding back everything is broad."""
    return "D2" if empties(cap) or (before is not None and loosens(before, cap)) else "D1"


ACTIONS = Edited(
    noun="cap",
    store=caps,
    payload=NewCap,
    problems=problems_of,
    level=lambda before, after: level_of(after, before),
    delete="D2",
    switched=False,
).actions()
