"""The columns of the person: each cell by its own row, stated first, missing is NaN."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoring_core.features.interests import token
from scoring_core.features.person import READS
from scoring_core.features.profile import interests, settled, stated_only
from scoring_core.features.table import FeatureTable
from scoring_core.shelf import build_shelf, no_statistics
from storage.records.clock import DAY, HOUR, SECOND
from storage.records.subjects import (
    COUNTERS,
    HALF_LIFE_S,
    INTEREST_DTYPE,
    RECENT_DTYPE,
    STATED_WEIGHT,
    TOKEN_DTYPE,
    USER_DIMENSIONS,
    UserState,
)
from tests.scoring_core.world import NOW, catalogue

SHELF = build_shelf(catalogue())
ALL = np.arange(12)
NOBODY = no_statistics(SHELF)
NAN = float("nan")
FEATURES = (*(f"user.{name}" for name in READS), "user.3", "user.4", "profile.age", "profile.size")
CATEGORIES = {"profile.size": ("m", "m|s")}


def liking(*rows: tuple[str, float, float, int]) -> bytes:
    """Rows of interests: name, score, stated (NaN: nothing), evidence."""
    return np.array(
        [(token(name), score, stated, 0, count, int(stated == stated)) for name, score, stated, count in rows],
        INTEREST_DTYPE,
    ).tobytes()


def touched(*rows: tuple[int, int, int]) -> bytes:
    return np.array([(item, roles, at // SECOND) for item, roles, at in rows], RECENT_DTYPE).tobytes()


def person(**changes: Any) -> UserState:
    known: dict[str, Any] = {
        "vector": np.linspace(-1, 1, USER_DIMENSIONS, dtype="<f4").tobytes(),
        "updated_at": NOW,
        "events": 6,
        "counts": np.arange(len(COUNTERS), dtype="<f4").tobytes(),
        "recent": np.array(
            [(7, 2, (NOW - 3 * HOUR) // SECOND), (2, 6, (NOW - HOUR) // SECOND)], RECENT_DTYPE
        ).tobytes(),
        "interests": liking(("kind=shoe", 1.0, NAN, 2), ("tag=new", 4.0, -0.8, 1)),
        "first_at": NOW - 5 * DAY,
        "attributes": {"age": 31, "size": "m|s"},
    }
    return UserState(**known | changes)


def rows(user: UserState | None, features: tuple[str, ...] = FEATURES, ordinals: Any = ALL) -> Any:
    table = FeatureTable(features, SHELF, categories=CATEGORIES)
    return table.rows(np.asarray(ordinals, dtype=np.int64), {}, user, NOBODY)


def column(name: str, user: UserState | None = None) -> list[float]:
    return rows(user or person(), (name,))[:, 0].tolist()


def test_counters_age_and_recency_are_the_same_for_every_item() -> None:
    for place, name in enumerate(COUNTERS):
        assert column(f"user.{name}") == [float(place)] * 12
    assert column("user.age_days") == [5.0] * 12
    assert column("user.recency_h") == pytest.approx([1.0] * 12)


def test_seen_tells_what_the_person_did_with_each_item() -> None:
    assert column("user.seen") == [0, 0, 6, 0, 0, 0, 0, 2, 0, 0, 0, 0]
    assert column("user.seen", person(recent=b"")) == [0.0] * 12


def test_preference_sums_what_the_items_tokens_tell_stated_first() -> None:
    told = column("user.preference")
    shares = {name: dict(SHELF_TOKENS[place]) for place, name in ((0, "book and new"), (1, "shoe"), (2, "book"))}
    assert told[1] == pytest.approx(0.5 * shares["shoe"]["kind=shoe"], rel=1e-6)
    assert told[2] == 0.0
    new = 4.0 / 5.0 - np.float64(np.float32(0.8))  # what was done since beside what was said
    assert told[0] == pytest.approx(new * shares["book and new"]["tag=new"], abs=1e-7)
    assert np.isnan(column("user.preference", person(interests=b""))).all()


def test_stated_attributes_are_numbers_or_codes() -> None:
    assert column("profile.age") == [31.0] * 12
    assert column("profile.size") == [1.0] * 12
    assert np.isnan(column("profile.income")).all()


def test_nobody_is_missing_everywhere() -> None:
    assert np.isnan(rows(None)).all()
    blank = UserState(vector=bytes(4 * USER_DIMENSIONS), updated_at=NOW, events=0)
    known = {name for place, name in enumerate(FEATURES) if not np.isnan(rows(blank)[:, place]).any()}
    assert known == {"user.norm", "user.events", "user.seen", "user.3", "user.4"}


@given(st.lists(st.integers(0, 11), max_size=20))
def test_a_row_stands_alone(chosen: list[int]) -> None:
    whole = rows(person(), ordinals=chosen)
    for place, ordinal in enumerate(chosen):
        assert rows(person(), ordinals=[ordinal]).tobytes() == whole[place].tobytes()


def test_a_table_says_what_it_reads() -> None:
    assert FeatureTable(("user.affinity", "user.3"), SHELF).reads == frozenset()
    assert FeatureTable(("user.seen", "profile.age"), SHELF).reads == {"recent", "attributes"}
    assert FeatureTable(("user.clicks", "user.preference"), SHELF).reads == {"counts", "interests"}


def test_only_what_was_learned_fades() -> None:
    half = HALF_LIFE_S * SECOND
    vector = np.zeros(USER_DIMENSIONS, "<f4")
    vector[3] = -STATED_WEIGHT + 1.0  # token 7: dimension 3; stated −1, learned 1
    said = np.array([(7, 2.0, -1.0, 0, 1, 1)], INTEREST_DTYPE).tobytes()
    user = person(vector=vector.tobytes(), interests=said)
    later = settled(user, NOW + int(half), reads=frozenset({"interests"}))
    assert later is not None
    assert np.frombuffer(later.vector, "<f4")[3] == -STATED_WEIGHT + 0.5
    assert np.frombuffer(later.interests, INTEREST_DTYPE)["score"].tolist() == [1.0]
    assert settled(later, later.updated_at, reads=frozenset({"interests"})) == later


def test_a_clock_that_went_back_fades_nothing_and_is_believed() -> None:
    back = settled(person(), NOW - DAY, reads=frozenset({"recent"}))
    assert back is not None
    assert (back.vector, back.updated_at) == (person().vector, NOW - DAY)


def test_without_profiling_only_what_was_stated_is_left() -> None:
    user = person(attributes={"age": 31, "login_level": 2})
    left = stated_only(user)
    assert left is not None
    assert (left.events, left.counts, left.recent, dict(left.attributes)) == (0, b"", b"", {"age": 31})
    assert [(each.name, each.evidence) for each in interests(left, SHELF.tokens.names)] == [("tag=new", 0)]
    assert np.count_nonzero(np.frombuffer(left.vector, "<f4")) == 1
    assert stated_only(person(interests=b"", attributes={"login_level": 2})) is None
    assert stated_only(None) is None


def test_interests_tell_score_source_and_how_sure_they_are() -> None:
    found = interests(person(), SHELF.tokens.names)
    assert [(each.name, each.source) for each in found] == [("kind=shoe", "implicit"), ("tag=new", "stated")]
    assert found[0].score == 0.5
    assert [round(each.confidence, 3) for each in found] == [0.4, 0.903]
    assert interests(replace(person(), interests=liking(("gone=x", 1.0, NAN, 1))), SHELF.tokens.names)[0].name is None


SHELF_TOKENS = [
    [(SHELF.tokens.names[number], weight) for number, weight in np.frombuffer(told, TOKEN_DTYPE).tolist()]
    for told in SHELF.tokens.rows
]
