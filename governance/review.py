"""What an author is told of a rule before it is saved: what to mend, which rules get in its way, who must agree."""

from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from governance.authoring import level_of, of_policies, problems_of
from governance.conflicts import Conflict, Matches, conflicts
from governance.installation import installation
from scoring_core.columns import Columns
from scoring_core.declared import declared
from storage import catalogue, rules
from storage.database import Read
from storage.errors import Problem
from storage.records.changes import Level
from storage.records.document import document
from storage.records.rules import Rule


@document
class Review:
    """What is wrong with a rule, its ``conflicts`` with those in service once it is on, and its danger ``level``."""

    problems: tuple[Problem, ...]
    conflicts: tuple[Conflict, ...]
    level: Level


class Shelfmarks:
    """Which items a condition holds for, in the catalogue as it is now; kept until the catalogue changes."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._version = -1
        self._columns = Columns(())

    def matches(self, read: Read) -> Matches:
        """Return the function that answers for the newest catalogue."""
        with self._lock:
            if catalogue.version(read) != self._version:
                loaded = catalogue.load(read)
                self._columns, self._version = Columns(loaded.items), loaded.version
            columns = self._columns

        def held(condition: Mapping[str, Any]) -> NDArray[np.bool_]:
            with self._lock:
                return columns.mask(condition)

        return held


def review(read: Read, rule: Rule, *, marks: Shelfmarks, now: int) -> Review:
    """Return what an author must know; of a rule that has problems, nothing else is told."""
    problems = problems_of(read, rule)
    found: tuple[Conflict, ...] = ()
    if not problems:
        others = [one for one in in_service(read) if one.key != rule.key]
        whole = told(read, [*others, replace(rule, enabled=True)], marks=marks, now=now)
        found = tuple(one for one in whole if rule.key in one.rules)
    return Review(problems=problems, conflicts=found, level=level_of(rule))


def in_service(read: Read) -> list[Rule]:
    """Return the installation's own rules that are on, and those inside the policies in service, each key once."""
    own = [stored.rule for stored in rules.listed(read) if stored.rule.enabled]
    return list({rule.key: rule for rule in [*of_policies(read), *own]}.values())


def told(read: Read, whole: list[Rule], *, marks: Shelfmarks, now: int) -> tuple[Conflict, ...]:
    """Return the conflicts of rules over the catalogue and the declared names of now."""
    return conflicts(whole, declared=declared(installation(read)), matches=marks.matches(read), now=now)
