"""Who touched which item when: what retrievers and models of people learn from, read from the lake's events."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.live import Shelf
from scoring_core.scorers.protocol import Floats
from storage import revisions
from storage.database import Database
from storage.lake import Lake
from storage.records.events import EventType
from storage.records.subjects import ROLES

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """One row per event of a person with an item, in order of time.

    ``person`` counts from 0 to ``people`` − 1, ``ordinal`` is the item's place in the catalogue of ``items`` items,
    ``at`` microseconds UTC; ``weight`` is what the installation declares of the type of event, ``roles`` its role as a
    bit of ``storage.records.subjects.ROLES`` (0: none). ``subjects`` are the pseudonyms by number, where they are
    known.
    """

    person: Whole
    ordinal: Whole
    at: Whole
    weight: Floats
    roles: NDArray[np.uint8]
    people: int
    items: int
    subjects: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.at)

    def where(self, chosen: Flags | Whole) -> "Interactions":
        """Return the chosen rows; people and items keep their numbers."""
        return Interactions(
            person=self.person[chosen],
            ordinal=self.ordinal[chosen],
            at=self.at[chosen],
            weight=self.weight[chosen],
            roles=self.roles[chosen],
            people=self.people,
            items=self.items,
            subjects=self.subjects,
        )

    def split(self, at: int) -> tuple["Interactions", "Interactions"]:
        """Return what came before ``at`` and what came from it on."""
        cut = int(np.searchsorted(self.at, at, side="left"))
        rows = np.arange(len(self.at))
        return self.where(rows[:cut]), self.where(rows[cut:])

    def matrix(self) -> Any:
        """Return the sum of weights as a scipy CSR matrix (people × items); what sums to nothing or less is left
        out."""
        from scipy.sparse import coo_matrix

        summed = coo_matrix((self.weight, (self.person, self.ordinal)), shape=(self.people, self.items)).tocsr()
        summed.data[summed.data < 0.0] = 0.0
        summed.eliminate_zeros()
        return summed


_TOUCHED = """
WITH told AS (
    SELECT DISTINCT ON (event_id) event_id, subject, item, type, "at" FROM events
    WHERE stored = 'full' AND subject IS NOT NULL AND item IS NOT NULL
      AND "at" < $end AND "at" <= $now AND list_contains($origins, origin) AND list_contains($types, type)
    ORDER BY event_id, "at"
)
SELECT subject, item, type, "at" FROM told ORDER BY "at", event_id
"""


def load_interactions(
    database: Database,
    lake: Lake,
    *,
    shelf: Shelf,
    now: int,
    origins: Sequence[str],
    end: int = 2**62,
) -> Interactions:
    """Read every event before ``end`` that names a person and an item of the shelf, each once, of the types that the
    installation declares with a weight or a role."""
    with database.read() as read:
        snapshot = revisions.load(read)
        declared: Mapping[str, EventType] = {} if snapshot is None else snapshot.installation.events
        speaking = {name: kind for name, kind in declared.items() if kind.weight != 0.0 or ROLES.get(kind.role, 0)}
        with lake.connect(read) as duck:
            rows: Any = duck.sql(
                _TOUCHED, params={"now": now, "end": end, "origins": list(origins), "types": list(speaking)}
            ).to_arrow_table()
    items, item = _numbered(rows.column("item"))
    ordinal = np.array([shelf.ordinals.get(each, -1) for each in items], dtype=np.int64)[item]
    known = ordinal >= 0
    rows = rows.filter(known)
    subjects, person = _numbered(rows.column("subject"))
    types, kind = _numbered(rows.column("type"))
    return Interactions(
        person=person,
        ordinal=ordinal[known],
        at=rows.column("at").to_numpy().astype(np.int64),
        weight=np.array([speaking[each].weight for each in types], dtype=np.float64)[kind],
        roles=np.array([ROLES.get(speaking[each].role, 0) for each in types], dtype=np.uint8)[kind],
        people=len(subjects),
        items=len(shelf.catalogue.items),
        subjects=tuple(subjects),
    )


def _numbered(column: Any) -> tuple[list[str], Whole]:
    """Return a column's values in the order in which they first occur, and each row's place among them."""
    coded = column.combine_chunks().dictionary_encode()
    return coded.dictionary.to_pylist(), coded.indices.to_numpy().astype(np.int64)
