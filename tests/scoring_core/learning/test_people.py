"""The table of people: what each column counts, and that nothing of it comes from later."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.learning.people import FEATURES, WORDS, features_at, known_at
from storage.records.clock import DAY, HOUR, MINUTE

from .crowds import START, acts_of

AT = START + 100 * DAY
TOLD = [
    (0, START + 10 * DAY, "view", 1, 0.0),
    (0, START + 10 * DAY + 5 * MINUTE, "purchase", 1, 20.0),
    (0, START + 50 * DAY, "view", 2, 0.0),
    (0, START + 90 * DAY, "purchase", 2, 40.0),
    (1, START + 99 * DAY, "view", -1, 0.0),
    (1, START + 101 * DAY, "purchase", 3, 500.0),
]


def row(person: int, name: str, *, at: int = AT) -> float:
    return float(features_at(acts_of(TOLD, people=3), at, np.array([person]))[0, FEATURES.index(name)])


@pytest.mark.parametrize(
    ("name", "first", "second"),
    [
        ("recency_days", 10.0, 1.0),
        ("tenure_days", 90.0, 1.0),
        ("visits", 3.0, 1.0),
        ("visits_30", 1.0, 1.0),
        ("active_days", 3.0, 1.0),
        ("gap_days", 40.0, np.nan),
        ("gap_sd_days", 0.0, np.nan),
        ("overdue", 0.25, np.nan),
        ("commitments", 2.0, 0.0),
        ("commitment_recency_days", 10.0, np.nan),
        ("spend", 60.0, 0.0),
        ("spend_30", 40.0, 0.0),
        ("spend_per_purchase", 30.0, np.nan),
        ("items", 2.0, 0.0),
        ("acts_per_visit", 4 / 3, 1.0),
        ("trend", 1 / 3, 1.0),
    ],
)
def test_what_a_column_counts(name: str, first: float, second: float):
    assert row(0, name) == pytest.approx(first)
    assert row(1, name) == pytest.approx(second, nan_ok=True)


def test_who_was_never_seen_is_unknown_and_every_feature_can_be_said():
    table = features_at(acts_of(TOLD, people=3), AT, np.array([2]))
    assert np.isnan(table[0, FEATURES.index("recency_days")])
    assert known_at(acts_of(TOLD, people=3), AT).tolist() == [0, 1]
    assert all(words.format(1.0) for words in WORDS.values())


@given(
    st.lists(
        st.tuples(
            st.integers(0, 3),
            st.integers(0, 120 * 24).map(lambda hours: START + hours * HOUR),
            st.sampled_from(["view", "purchase"]),
            st.integers(-1, 5),
            st.just(0.0),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_nothing_of_later_is_known(rows):
    acts = acts_of(rows, people=4)
    people = known_at(acts, AT)
    before = replace(acts.between(0, AT))
    assert features_at(acts, AT, people).tobytes() == features_at(before, AT, people).tobytes()
