"""Looks at people, entered in the ledger before the answer: of persons, for services do what their users ask."""

import time
from collections import OrderedDict
from collections.abc import Callable

from storage import ledger
from storage.database import Database
from storage.keys import Keys
from storage.records.access import Principal

AGAIN_S = 300.0
"""The same person looking at the same thing again within so long is one look."""
_MOST = 10_000


class Looks:
    """Enters who read a decision or a profile here.

    Parameters
    ----------
    database, keys
        Where the ledger is, and what hides raw subjects in it.
    now
        The wall clock, microseconds UTC.
    """

    def __init__(self, database: Database, keys: Keys, *, now: Callable[[], int]) -> None:
        self._database = database
        self._keys = keys
        self._now = now
        self._known: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def wanted(self, by: Principal, route: str, thing: str) -> bool:
        """Tell whether this look has to be entered."""
        known = self._known.get((by.name, route, thing), float("-inf"))
        return by.role != "service" and time.monotonic() - known >= AGAIN_S

    def enter(self, by: Principal, route: str, thing: str) -> None:
        """Enter a look; blocks.

        Raises
        ------
        FairleadError
            If it cannot be entered: then nothing is shown.
        """
        what = "decisions" if "/decisions/" in route else "profiles"
        with self._database.write() as write:
            ledger.append(
                write,
                self._keys,
                at=self._now(),
                actor=by.name,
                action=f"{what}.view",
                object_kind=what,
                object_key=thing if what == "decisions" else ledger.commitment(self._keys, thing),
                before=None,
                after=None,
                reason=f"read by GET {route} of an engine",
            )
        self._known[by.name, route, thing] = time.monotonic()
        self._known.move_to_end((by.name, route, thing))
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
