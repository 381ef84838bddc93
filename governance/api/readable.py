"""A recorded decision as plain JSON: arrays decoded, ordinals as item ids."""

from collections.abc import Mapping
from math import isnan
from typing import Any

import numpy as np

from storage.records.clock import iso
from storage.records.decisions import CANDIDATE_DTYPE, RANK_DTYPE, SCORE_DTYPE, Decision
from storage.records.items import Catalogue

_ARRAYS = frozenset({"candidates", "scores", "ranking", "fatigue", "input_digest"})
_PERSONAL = "user_"
"""What a record keeps of its person; nobody is shown it here."""


def readable(decision: Decision, catalogue: Catalogue) -> Mapping[str, Any]:
    """Return a decision with ``candidates`` as item ids, ``scores`` beside them (null: not scored), and ``ranking`` as
    places in ``candidates``; of what is known of the person only that it was there, since it is personal."""
    plain = {
        name: getattr(decision, name)
        for name in decision.__struct_fields__
        if name not in _ARRAYS and not name.startswith(_PERSONAL)
    }
    items = catalogue.items
    ordinals = np.frombuffer(decision.candidates, dtype=CANDIDATE_DTYPE).tolist()
    scores = np.frombuffer(decision.scores, dtype=SCORE_DTYPE).tolist()
    return {
        **plain,
        "rng_seed": str(decision.rng_seed),
        "time": iso(decision.at),
        "candidate_ordinals": ordinals,
        "candidates": [items[place].item_id if place < len(items) else None for place in ordinals],
        "scores": [None if isnan(score) else score for score in scores],
        "ranking": np.frombuffer(decision.ranking, dtype=RANK_DTYPE).tolist(),
        "input_digest": decision.input_digest.hex(),
        "personal_features": decision.user_vector is not None,
    }


def masked(told: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a decision as an engine tells it, without what is known of the person."""
    shown = {name: value for name, value in told.items() if name != "fatigue" and not name.startswith(_PERSONAL)}
    return {**shown, "personal_features": told.get("user_vector") is not None}
