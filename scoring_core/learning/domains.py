"""Whether one profile over several domains finds more than a profile of each: measured with and without the other.

The items are cut into two domains at random, as a shop's products and its articles are two. Looked
for is what people touch next in the first. ``both`` knows what they touched in either, ``own`` only what they touched
in the first, ``other`` only what they touched in the second (as of somebody who is new to the first); ``popularity``
counts people per item.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.protocol import Retriever
from scoring_core.learning.comparisons import bootstrap_mean
from scoring_core.learning.retrieval import SLOTS, Next, by_popularity
from storage.records.subjects import RECENT_DTYPE, UserState

Flags = NDArray[np.bool_]

COMPARED = (("both", "own"), ("other", "popularity"))


def across_domains(coming: Next, retriever: Retriever, *, seed: int) -> Mapping[str, Any]:
    """Return recall@20 in the first domain by what is known, and two paired differences, with 95 % intervals."""
    first = np.random.Generator(np.random.PCG64(seed)).random(len(coming.buyers)) < 0.5
    wanted = {person: items[first[items]] for person, items in coming.wanted.items()}
    people = tuple(
        person
        for person in coming.people
        if len(wanted[person]) and 0 < first[coming.touched[person]].sum() < len(coming.touched[person])
    )
    inside = replace(coming, people=people, wanted=wanted, buyers=np.where(first, coming.buyers, 0))
    known = {"both": np.ones(len(first), dtype=np.bool_), "own": first, "other": ~first}
    recalls = {
        name: inside.recalls(inside.found(narrowed(inside, flags).retrieved(retriever)))
        for name, flags in known.items()
    }
    recalls["popularity"] = inside.recalls(inside.found(by_popularity(inside.buyers)))
    rng = np.random.Generator(np.random.PCG64(seed))
    differences = {f"{one}-{other}": recalls[one] - recalls[other] for one, other in COMPARED}
    return {
        "metric": f"recall@{SLOTS}",
        "customers": len(people),
        **{
            name: dict(zip(("value", "low", "high"), (float(values.mean()), *bootstrap_mean(values, rng)), strict=True))
            for name, values in {**recalls, **differences}.items()
        },
    }


def narrowed(coming: Next, flags: Flags) -> Next:
    """Return the same people, known by what they touched of the flagged items alone."""
    return replace(coming, states={person: of_items(state, flags) for person, state in coming.states.items()})


def of_items(state: UserState, flags: Flags) -> UserState:
    """Return a person who touched the flagged items alone."""
    recent = np.frombuffer(state.recent, dtype=RECENT_DTYPE)
    return replace(state, recent=recent[flags[recent["item"]]].tobytes())
