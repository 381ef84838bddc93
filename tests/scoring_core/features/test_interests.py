"""Items as tokens and vectors: an item whose hashed signs cancel is an item that tells nothing."""

import numpy as np

from scoring_core.features.interests import item_tokens, item_vector
from storage.records.items import Item


def test_an_item_whose_signs_cancel_has_no_tokens_and_breaks_nothing():
    item = Item(item_id="i41", attributes={"kind": "k1"})
    assert not item_vector(item).any()
    assert item_tokens(item) == []
    assert np.isclose(np.linalg.norm(item_vector(Item(item_id="i40", attributes={"kind": "k0"}))), 1.0)
