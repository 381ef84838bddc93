"""What people did when, with or without an item: what models of people learn from, read from the lake's events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.scorers.protocol import Floats
from storage import revisions
from storage.database import Database
from storage.errors import Invalid
from storage.lake import Lake
from storage.records.clock import DAY
from storage.records.events import EventType
from storage.records.items import Catalogue

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """One row per act of a person that is more than being shown something, in order of time.

    ``person`` counts from 0 to ``people`` − 1, ``at`` is microseconds UTC, ``type`` a place in ``types``, ``item`` the
    number of an item (−1: none), ``value`` what was spent (0 where it was no commitment or no amount was told).
    ``commits`` says of each type whether it is a commitment. ``subjects`` are the pseudonyms by number, and ``items``
    the item ids, where they are known; ``maker`` is by item number the place of its creator in ``makers`` (−1: none).
    """

    person: Whole
    at: Whole
    type: Whole
    item: Whole
    value: Floats
    types: tuple[str, ...]
    commits: Flags
    people: int
    subjects: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    makers: tuple[str, ...] = ()
    maker: Whole = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.at)

    @property
    def committed(self) -> Flags:
        """Which rows are commitments."""
        return np.asarray(self.commits[self.type], dtype=np.bool_)

    def between(self, start: int, end: int) -> "Acts":
        """Return the acts from ``start`` on and before ``end``; people and items keep their numbers."""
        low, high = np.searchsorted(self.at, [start, end], side="left").tolist()
        rows = slice(low, high)
        return replace(
            self,
            person=self.person[rows],
            at=self.at[rows],
            type=self.type[rows],
            item=self.item[rows],
            value=self.value[rows],
        )

    def span_days(self) -> float:
        """Return for how long there are acts."""
        return float(self.at[-1] - self.at[0]) / DAY if len(self) else 0.0


MAKERS = ("creator", "maker", "author", "seller", "provider", "brand")
"""Item attributes that may name a creator, the likeliest first."""

_ACTS = """
WITH told AS (
    SELECT DISTINCT ON (event_id) event_id, subject, item, type, value, "at" FROM events
    WHERE stored = 'full' AND subject IS NOT NULL AND "at" <= $now
      AND list_contains($origins, origin) AND list_contains($types, type)
      AND ($subject IS NULL OR subject = $subject)
    ORDER BY event_id, "at"
)
SELECT subject, coalesce(item, '') AS item, type, coalesce(value, 0.0) AS value, "at" FROM told ORDER BY "at", event_id
"""


def load_acts(
    database: Database,
    lake: Lake,
    *,
    now: int,
    origins: Sequence[str],
    subject: str | None = None,
    start: int | None = None,
) -> Acts:
    """Read every event that names a person, each once, of the declared types that are more than being shown something;
    of one person where ``subject`` names one, from ``start`` on where it is given."""
    with database.read() as read:
        snapshot = revisions.load(read)
        declared: Mapping[str, EventType] = {} if snapshot is None else snapshot.installation.events
        acts = sorted(name for name, kind in declared.items() if kind.role != "shown")
        with lake.connect(read, start=start) as duck:
            asked = {"now": now, "origins": list(origins), "types": acts, "subject": subject}
            rows: Any = duck.sql(_ACTS, params=asked).to_arrow_table()
    subjects, person = _numbered(rows.column("subject"))
    types, kind = _numbered(rows.column("type"))
    items, item = _numbered(rows.column("item"))
    commits = np.array([declared[name].role == "commitment" for name in types], dtype=np.bool_)
    value = rows.column("value").to_numpy().astype(np.float64)
    return Acts(
        person=person,
        at=rows.column("at").to_numpy().astype(np.int64),
        type=kind,
        item=np.array([-1 if not name else place for place, name in enumerate(items)], dtype=np.int64)[item],
        value=np.where(commits[kind] & (value > 0.0), value, 0.0) if len(kind) else value,
        types=tuple(types),
        commits=commits,
        people=len(subjects),
        subjects=tuple(subjects),
        items=tuple(items),
    )


def with_makers(acts: Acts, catalogue: Catalogue) -> tuple[Acts, str]:
    """Return the acts with the creators of their items, and the item attribute that names creators: the first of
    ``MAKERS`` that any item has.

    Raises
    ------
    Invalid
        If no item has any.
    """
    held = {name for item in catalogue.items for name in item.attributes}
    attribute = next((name for name in MAKERS if name in held), None)
    if attribute is None:
        raise Invalid(f"no item names its creator: give items one of the attributes {', '.join(MAKERS)}")
    made_by = {item.item_id: str(item.attributes.get(attribute, "")) for item in catalogue.items}
    told = [made_by.get(item, "") for item in acts.items]
    makers = tuple(sorted({name for name in told if name}))
    place = {name: number for number, name in enumerate(makers)}
    return replace(
        acts, makers=makers, maker=np.array([place.get(name, -1) for name in told], dtype=np.int64)
    ), attribute


def needing(acts: Acts, *, people: int, what: str) -> None:
    """Refuse what is too little to learn from.

    Raises
    ------
    Invalid
        With how much there is and how much it takes.
    """
    if acts.people < people:
        raise Invalid(f"too little to learn {what} from: {acts.people:,} people with acts, {people:,} are the least")


def _numbered(column: Any) -> tuple[list[str], Whole]:
    """Return a column's values in the order in which they first occur, and each row's place among them."""
    coded = column.combine_chunks().dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
