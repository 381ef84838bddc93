"""What is offered to who is new: on the benchmark's own data, and what a quiz is."""

import numpy as np
import pytest

from scoring_core.features.interests import token
from scoring_core.learning.coldstart import coldstart, quiz
from scoring_core.learning.content import Content, content_of
from scoring_core.models import digest_of, load_model, write_arrays
from storage.errors import Invalid
from storage.records.models import ModelVersion
from storage.records.subjects import INTEREST_DTYPE, MOST_INTERESTS
from tests.tastes import ITEMS, KINDS, START, shelf, somebody, touches


@pytest.fixture
def retriever(tmp_path):
    trained = content_of(touches(), shelf(), how=Content())
    version = ModelVersion(
        name="content",
        version="1",
        kind="content",
        created_at=START,
        path="models/content/1",
        digest=digest_of(trained.arrays),
        parameters=trained.parameters,
    )
    write_arrays(version, tmp_path, trained.arrays)
    return load_model(version, tmp_path).on(shelf())


def test_answers_of_a_quiz_find_items_for_who_touched_nothing(retriever):
    someone = quiz(["word=kite", "word=kite", "tag=kite", "word=unheard"], retriever, at=START)
    rows = np.frombuffer(someone.interests, dtype=INTEREST_DTYPE)
    assert set(rows["token"].tolist()) == {token("word=kite"), token("tag=kite")} and len(rows) <= MOST_INTERESTS
    found = retriever.nearest(someone, np.ones(ITEMS, dtype=np.bool_), 8)
    assert {KINDS[ordinal % len(KINDS)] for ordinal in found.tolist()} == {"kite"}
    assert len(retriever.nearest(somebody(), np.ones(ITEMS, dtype=np.bool_), 8)) == 0


def test_what_was_stated_weighs_beside_what_was_touched(retriever):
    touching = somebody(KINDS.index("mug"))
    asked = quiz(["word=kite", "tag=kite"], retriever, at=START)
    kites = np.arange(KINDS.index("kite"), ITEMS, len(KINDS))
    mugs = np.arange(KINDS.index("mug"), ITEMS, len(KINDS))
    both = type(touching)(
        vector=touching.vector,
        updated_at=touching.updated_at,
        events=1,
        recent=touching.recent,
        interests=asked.interests,
    )
    assert retriever.affinity(both, kites).min() > retriever.affinity(touching, kites).max()
    assert retriever.affinity(both, mugs).mean() > retriever.affinity(asked, mugs).mean()


def test_a_catalogue_that_tells_nothing_is_refused():
    with pytest.raises(Invalid, match="tells too little"):
        content_of(touches(items=1), shelf(1), how=Content())


@pytest.mark.e2e
def test_content_beats_popularity_for_new_customers_and_for_unseen_items(shared_data):
    found = coldstart(shared_data / "online_retail" / "online_retail.parquet")
    for figures, rival in (
        (found, "popularity"),
        (found, "recent_popularity"),
        (found, "random"),
        (found["unseen"], "popularity"),
    ):
        assert figures["differences"][f"content-{rival}"]["low"] > 0.0, rival
    assert found["held_out_items"] == 775 and found["customers"] > 500
