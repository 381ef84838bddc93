"""Items found by what is told of them: their words, tags and attributes, beside those of what a person touched and
stated."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.factors import NOTHING, UNIT, best, half_life_s
from scoring_core.candidates.protocol import Ordinals
from scoring_core.candidates.side_information import SideInformation
from scoring_core.candidates.touched import touched
from scoring_core.live import Shelf
from scoring_core.models import read_arrays
from scoring_core.scorers.protocol import Floats
from storage.records.models import ModelVersion
from storage.records.subjects import INTEREST_DTYPE, STATED_WEIGHT, UserState


@dataclass(eq=False, kw_only=True)
class ContentRetriever:
    """Items by the cosine of their words to a person's, and by what their words lead one to expect of anybody.

    A person is the sum of the items that they touched, as TF-IDF rows of length 1 and weighted as everywhere, and of
    the words that they stated (the style quiz), a row of length 1 that weighs ``STATED_WEIGHT``. ``expected`` is, per
    word, what it adds to the logarithm of how many people touch an item, learned by ridge regression; ``lift`` is what
    that expectation, centred and of spread 1, counts beside the cosine. An item of any age is placed by its words, and
    is unknown only where none of them is known.

    References
    ----------
    Salton, Buckley, Term-weighting approaches in automatic text retrieval, IPM 1988. Pazzani, Billsus, Content-Based
    Recommendation Systems, The Adaptive Web, 2007.
    """

    name: str
    version: str
    digest: str
    tokens: NDArray[np.uint32] = field(repr=False)
    rarity: NDArray[np.float32] = field(repr=False)
    expected: Floats = field(repr=False)
    lift: float
    half_life_s: float
    rows: Any = field(repr=False, default=None)
    shelf: Shelf | None = field(repr=False, default=None)

    def on(self, shelf: Shelf) -> "ContentRetriever":
        """Return the same for the items of a shelf; of one that was placed before, only what differs is read again."""
        from scipy.sparse import vstack

        items, words = shelf.catalogue.items, self._words
        if self.shelf is None:
            return replace(self, rows=words.rows_of(items).astype(np.float64), shelf=shelf)
        before, after = self.shelf.digests, shelf.digests
        both = min(len(before), len(after))
        same = np.flatnonzero((before[:both] == after[:both]).all(axis=1))
        changed = np.setdiff1d(np.arange(len(after)), same)
        fresh = words.rows_of([items[place] for place in changed.tolist()]).astype(np.float64)
        place = np.empty(len(after), dtype=np.int64)
        place[same], place[changed] = np.arange(len(same)), len(same) + np.arange(len(changed))
        return replace(self, rows=vstack([self.rows[same], fresh], format="csr")[place], shelf=shelf)

    def nearest(self, user: UserState, allowed: NDArray[np.bool_], quota: int) -> Ordinals:
        """Return at most ``quota`` of the allowed ordinals, best first."""
        person = self._person(user)
        if person is None:
            return NOTHING
        return best(self.rows @ person + self._prior, allowed & self._known, quota=quota)

    def affinity(self, user: UserState, ordinals: Ordinals) -> Floats:
        """Return cosine and expectation per ordinal."""
        values = np.full(len(ordinals), np.nan)
        person = self._person(user)
        if person is not None:
            inside = self._known[ordinals]
            chosen = ordinals[inside]
            values[inside] = self.rows[chosen] @ person + self._prior[chosen]
        return values

    @cached_property
    def _words(self) -> SideInformation:
        nothing = np.zeros(0)
        return SideInformation(
            tokens=self.tokens,
            rarity=self.rarity,
            bounds=np.zeros(1, dtype=np.int64),
            places=nothing.astype(np.int32),
            values=nothing.astype(np.float32),
        )

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        flags: NDArray[np.bool_] = np.diff(self.rows.indptr) > 0
        return flags

    @cached_property
    def _prior(self) -> Floats:
        prior: Floats = self.lift * (self.rows @ self.expected)
        return prior

    def _person(self, user: UserState) -> Floats | None:
        """Return a person's words, of length 1; None for who showed no liking of any."""
        total, liked = np.zeros(len(self.tokens)), False
        ordinals, weights = touched(user, self.rows.shape[0], half_life_s=self.half_life_s)
        known = self._known[ordinals]
        if known.any():
            liked = bool((weights[known] > 0.0).any())
            total += self.rows[ordinals[known]].T @ (weights[known] / UNIT)
        said = self._stated(user)
        if said is not None:
            liked = True
            total += STATED_WEIGHT * said
        length = float(np.sqrt(np.sum(total * total)))
        return total / length if liked and length > 0.0 else None

    def _stated(self, user: UserState) -> Floats | None:
        rows = np.frombuffer(user.interests, dtype=INTEREST_DTYPE)
        rows = rows[(rows["source"] != 0) & np.isfinite(rows["stated"])]
        if not len(rows) or not len(self.tokens) or not (rows["stated"] > 0.0).any():
            return None
        place = np.minimum(np.searchsorted(self.tokens, rows["token"]), len(self.tokens) - 1)
        known = self.tokens[place] == rows["token"]
        said = np.zeros(len(self.tokens))
        np.add.at(said, place[known], rows["stated"][known].astype(np.float64) * self.rarity[place[known]])
        length = float(np.sqrt(np.sum(said * said)))
        return said / length if length > 0.0 else None


def load(version: ModelVersion, home: Path) -> ContentRetriever:
    """Load a registered version from its folder below ``home``."""
    arrays, settings = read_arrays(version, home), version.parameters
    return ContentRetriever(
        name=version.name,
        version=version.version,
        digest=version.digest,
        tokens=arrays["tokens"],
        rarity=arrays["rarity"],
        expected=arrays["expected"],
        lift=float(settings["lift"]),
        half_life_s=half_life_s(settings["half_life_days"]),
    )
