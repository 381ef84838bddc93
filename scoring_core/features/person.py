"""The columns of the feature table that tell of the person, and of the person and the item."""

from collections.abc import Callable, Mapping, Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from scoring_core.features.cells import MISSING, Codes, number, side_by_side
from scoring_core.features.profile import preferences
from scoring_core.live import Shelf
from storage.records.clock import DAY, HOUR, SECOND
from storage.records.decisions import VECTOR_DTYPE
from storage.records.subjects import COUNTERS, INTEREST_DTYPE, RECENT_DTYPE, USER_DIMENSIONS, UserState

Floats = NDArray[np.float64]
Ordinals = NDArray[np.int64]

NOTHING: frozenset[str] = frozenset()
READS: Mapping[str, frozenset[str]] = {
    "affinity": NOTHING,
    "norm": NOTHING,
    "events": NOTHING,
    "age_days": frozenset({"first_at"}),
    "recency_h": frozenset({"recent"}),
    "preference": frozenset({"interests"}),
    "seen": frozenset({"recent"}),
    **dict.fromkeys(COUNTERS, frozenset({"counts"})),
}
"""The features ``user.NAME`` beside the dimensions, and which parts of ``UserState`` beyond the vector each takes."""


def exists(name: str) -> bool:
    """Tell whether there is a feature ``user.NAME``."""
    return name in READS or (name.isdecimal() and int(name) < USER_DIMENSIONS)


def person_features(*, known: bool, counted: bool) -> list[str]:
    """Return the features of people that examples can speak of: of the vector where any row knows a person, of the
    rest where anything was counted."""
    beyond = [name for name, parts in READS.items() if bool(parts) <= counted]
    return [f"user.{name}" for name in [*beyond, *map(str, range(USER_DIMENSIONS))]] if known else []


class PersonColumns:
    """Fills the columns of one list of features against one shelf.

    ``user`` and ``profile`` are the columns' places and names. ``user.affinity`` is the cosine of the person's and the
    item's vector, ``user.preference`` the sum of the person's interests in what the item's tokens tell, each by its
    share in the item, ``user.seen`` the bits of what the person did with the item (``ROLES``; 0 for nothing that is
    remembered), ``user.recency_h`` the hours since the person last touched an item.
    """

    def __init__(
        self,
        user: Sequence[tuple[int, str]],
        profile: Sequence[tuple[int, str]],
        shelf: Shelf,
        *,
        codes: Mapping[str, Codes],
    ) -> None:
        dimensions = [(at, int(name)) for at, name in user if name.isdecimal()]
        self._dimensions = np.array([dimension for _, dimension in dimensions], dtype=np.int64)
        self._dimensions_at = side_by_side([at for at, _ in dimensions])
        counted = [(at, COUNTERS.index(name)) for at, name in user if name in COUNTERS]
        self._counters = np.array([place for _, place in counted], dtype=np.int64)
        self._counters_at = side_by_side([at for at, _ in counted])
        self._profile = [(at, name, codes.get(f"profile.{name}")) for at, name in profile]
        self._named = {name: at for at, name in user}
        self._fills: list[Callable[[Floats, Ordinals, UserState], None]] = [
            fill
            for name, fill in (("age_days", self._age), ("recency_h", self._recency), ("preference", self._preference))
            if name in self._named
        ]
        if "seen" in self._named:
            self._fills.append(self._seen)
        self._tokens = shelf.tokens
        self._unit = _unit_rows(shelf.vectors) if "affinity" in self._named else None
        self._whole = self._unit is not None or "norm" in self._named or self._dimensions_at is not None
        self.reads = NOTHING.union(*(READS.get(name, NOTHING) for _, name in user), ["attributes"] if profile else ())
        """The parts of ``UserState`` beyond the vector that these columns take."""

    def fill(self, table: Floats, ordinals: Ordinals, user: UserState) -> None:
        """Write the columns; ``user`` is settled to the moment of the decision."""
        if "events" in self._named:
            table[:, self._named["events"]] = user.events
        if self._whole:
            self._vector(table, ordinals, user)
        if self._counters_at is not None and user.counts:
            table[:, self._counters_at] = np.frombuffer(user.counts, dtype=VECTOR_DTYPE)[self._counters]
        for fill in self._fills:
            fill(table, ordinals, user)
        for at, name, codes in self._profile:
            table[:, at] = number(user.attributes.get(name), codes)

    def _vector(self, table: Floats, ordinals: Ordinals, user: UserState) -> None:
        vector = np.frombuffer(user.vector, dtype=VECTOR_DTYPE).astype(np.float64)
        if self._dimensions_at is not None:
            table[:, self._dimensions_at] = vector[self._dimensions]
        length = sqrt(vector.dot(vector))
        if "norm" in self._named:
            table[:, self._named["norm"]] = length
        if self._unit is not None and 0.0 < length < np.inf:
            units = self._unit.take(ordinals, axis=0)
            table[:, self._named["affinity"]] = np.einsum("ij,j->i", units, vector / length)

    def _age(self, table: Floats, _ordinals: Ordinals, user: UserState) -> None:
        if user.first_at:
            table[:, self._named["age_days"]] = max(user.updated_at - user.first_at, 0) / DAY

    def _recency(self, table: Floats, _ordinals: Ordinals, user: UserState) -> None:
        if user.recent:
            last = int(np.frombuffer(user.recent, dtype=RECENT_DTYPE)["at"][-1])
            table[:, self._named["recency_h"]] = max(user.updated_at - last * SECOND, 0) / HOUR

    def _preference(self, table: Floats, ordinals: Ordinals, user: UserState) -> None:
        rows = np.frombuffer(user.interests, dtype=INTEREST_DTYPE)
        if not len(rows):
            return
        tokens = self._tokens
        values = np.zeros(len(tokens.places) + 1)  # the first stands for no token
        for token, value in zip(rows["token"].tolist(), preferences(rows).tolist(), strict=True):
            place = tokens.places.get(token)
            if place is not None:
                values[place] = value
        found = values.take(tokens.at.take(ordinals, axis=0))
        table[:, self._named["preference"]] = np.einsum("ij,ij->i", found, tokens.weights.take(ordinals, axis=0))

    def _seen(self, table: Floats, ordinals: Ordinals, user: UserState) -> None:
        rows = np.frombuffer(user.recent, dtype=RECENT_DTYPE)
        at = self._named["seen"]
        if not len(rows):
            table[:, at] = 0.0
            return
        items = rows["item"].astype(np.int64)
        order = items.argsort(kind="stable")
        items, roles = items[order], rows["roles"][order]
        places = np.minimum(items.searchsorted(ordinals), len(items) - 1)
        table[:, at] = np.where(items[places] == ordinals, roles[places], 0)


def _unit_rows(vectors: NDArray[np.float32]) -> Floats:
    exact = vectors.astype(np.float64)
    lengths = np.sqrt(np.sum(exact * exact, axis=1, keepdims=True))
    unit: Floats = np.divide(exact, lengths, out=np.full_like(exact, MISSING), where=lengths > 0)
    return unit
