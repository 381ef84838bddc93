"""Laws that every trained retriever keeps, as it is loaded from the registry's files."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.candidates.protocol import Retriever
from scoring_core.learning.content import Content, content_of
from scoring_core.learning.factors import Factorisation, factors_of
from scoring_core.learning.hybrid import Blend, hybrid_of
from scoring_core.learning.retrieval import Learn, Trained
from scoring_core.learning.sequences import Sequences, sequences_of
from scoring_core.models import ARRAYS, digest_of, load_model, write_arrays
from storage.errors import Unavailable
from storage.records.models import ModelKind, ModelVersion
from storage.records.subjects import RECENT_DTYPE, ROLES, USER_DIMENSIONS, UserState
from tests.tastes import ITEMS, KINDS, shelf, somebody, touches

YOUNGER = 8
"""So many items came after the training."""
NOW = int(touches().at[-1]) + 1


@dataclass(frozen=True)
class Member:
    """A retriever of the family. ``places`` tells that it knows where an item belongs that nobody touched yet."""

    kind: ModelKind
    learn: Learn
    places: bool


SMALL = Factorisation(factors=8, regularisation=1.0)

RETRIEVERS: Mapping[str, Member] = {
    "factors": Member(
        "factors", lambda past, _shelf, at: factors_of(past, at=at, seed=1, tried=(SMALL,)), places=False
    ),
    "factors that fade": Member(
        "factors",
        lambda past, _shelf, at: factors_of(past, at=at, seed=1, tried=(replace(SMALL, half_life_days=20.0),)),
        places=False,
    ),
    "factors chosen": Member(
        "factors",
        lambda past, _shelf, at: factors_of(past, at=at, seed=1, tried=(replace(SMALL, regularisation=1_000.0), SMALL)),
        places=False,
    ),
    "hybrid": Member(
        "hybrid",
        lambda past, shelf, at: hybrid_of(past, shelf, at=at, seed=1, start=Blend(), tried=(SMALL,)),
        places=True,
    ),
    "content": Member("content", lambda past, shelf, at: content_of(past, shelf, how=Content()), places=True),
    "sequences": Member(
        "sequences",
        lambda past, shelf, at: sequences_of(past, shelf, seed=1, how=Sequences(dimensions=16, epochs=60)),
        places=False,
    ),
}


@dataclass(frozen=True)
class Known:
    """A retriever of the registry: its version, where its files are, what training gave."""

    member: Member
    version: ModelVersion
    home: Path
    trained: Trained

    def load(self) -> Retriever:
        found: Retriever = load_model(self.version, self.home)
        return found


@pytest.fixture(params=RETRIEVERS, scope="module")
def known(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Known:
    member, home = RETRIEVERS[request.param], tmp_path_factory.mktemp("models")
    trained = member.learn(touches(), shelf(), NOW)
    version = ModelVersion(
        name="near",
        version="1",
        kind=member.kind,
        created_at=NOW,
        path="models/near/1",
        digest=digest_of(trained.arrays),
        parameters=trained.parameters,
    )
    write_arrays(version, home, trained.arrays)
    return Known(member, version, home, trained)


@pytest.fixture(scope="module")
def retriever(known: Known) -> Retriever:
    return known.load().on(shelf(ITEMS + YOUNGER))


@st.composite
def people(draw: st.DrawFn) -> UserState:
    """Anyone: items known, younger or of no catalogue, in any roles, at any time."""
    rows = draw(
        st.lists(
            st.tuples(
                st.integers(0, ITEMS + YOUNGER + 4), st.integers(0, 15), st.integers(0, NOW // 1_000_000 + 86_400)
            ),
            max_size=50,
            unique_by=lambda row: row[0],
        )
    )
    nothing = np.zeros(USER_DIMENSIONS, dtype="<f4").tobytes()
    return UserState(
        vector=nothing, updated_at=NOW, events=len(rows), recent=np.array(rows, dtype=RECENT_DTYPE).tobytes()
    )


flags = st.lists(st.booleans(), min_size=ITEMS + YOUNGER, max_size=ITEMS + YOUNGER).map(np.array)
EVERYTHING = np.ones(ITEMS + YOUNGER, dtype=np.bool_)
ALL = np.arange(ITEMS + YOUNGER)


@given(user=people(), allowed=flags, quota=st.integers(0, ITEMS + YOUNGER + 3))
@settings(max_examples=60)
def test_finds_the_best_of_what_is_allowed_best_first(
    retriever: Retriever, user: UserState, allowed: np.ndarray, quota: int
) -> None:
    before = allowed.copy()
    found = retriever.nearest(user, allowed, quota)
    assert np.array_equal(allowed, before)
    assert found.dtype == np.int64
    assert len(found) <= quota
    assert len(set(found.tolist())) == len(found)
    assert allowed[found].all()
    values = retriever.affinity(user, found)
    assert np.isfinite(values).all()
    order = list(zip((-values).tolist(), found.tolist(), strict=True))
    assert order == sorted(order)
    assert found.tolist() == retriever.nearest(user, allowed, ITEMS + YOUNGER)[:quota].tolist()


@given(user=people(), chosen=st.lists(st.integers(0, ITEMS + YOUNGER - 1), max_size=30))
@settings(max_examples=60)
def test_what_it_says_of_an_item_depends_on_no_other(retriever: Retriever, user: UserState, chosen: list[int]) -> None:
    whole = retriever.affinity(user, ALL)
    some = retriever.affinity(user, np.array(chosen, dtype=np.int64))
    assert some.dtype == np.float64
    assert some.tobytes() == whole[chosen].tobytes()
    assert retriever.affinity(user, ALL).tobytes() == whole.tobytes()
    assert not np.isinf(whole).any()


@pytest.mark.parametrize(
    "user",
    [
        somebody(),
        somebody(ITEMS + YOUNGER + 1),
        somebody(3, roles=ROLES["shown"]),
        somebody(3, 4, roles=ROLES["rejection"]),
    ],
    ids=["nobody", "of no catalogue", "only shown", "only rejected"],
)
def test_who_showed_no_liking_gets_nothing(retriever: Retriever, user: UserState) -> None:
    assert len(retriever.nearest(user, EVERYTHING, 10)) == 0
    assert np.isnan(retriever.affinity(user, ALL)).all()


@pytest.mark.parametrize("kind", range(len(KINDS)), ids=KINDS)
def test_finds_more_of_the_kind_that_a_person_touched(retriever: Retriever, kind: int) -> None:
    mine = [kind + len(KINDS) * place for place in (0, 2, 4)]
    allowed = EVERYTHING.copy()
    allowed[mine] = False
    found = retriever.nearest(somebody(*mine), allowed, 5)
    assert len(found) == 5
    assert np.mean(found % len(KINDS) == kind) >= 0.8


def test_the_latest_touch_weighs_no_less(retriever: Retriever) -> None:
    early, late = somebody(0, 4, 8, 1, 5, 9, apart_h=72), somebody(1, 5, 9, 0, 4, 8, apart_h=72)
    of_kind = np.arange(12, ITEMS) % len(KINDS) == 0
    values = [retriever.affinity(user, np.arange(12, ITEMS))[of_kind].sum() for user in (early, late)]
    assert values[1] >= values[0]


def test_places_what_came_after_its_training_only_by_what_is_told_of_it(known: Known, retriever: Retriever) -> None:
    user = somebody(0, 4, 8)
    younger = retriever.affinity(user, np.arange(ITEMS, ITEMS + YOUNGER))
    if not known.member.places:
        assert np.isnan(younger).all()
        return
    same = np.arange(ITEMS, ITEMS + YOUNGER) % len(KINDS) == 0
    assert np.nanmin(younger[same]) > np.nanmax(np.nan_to_num(younger[~same], nan=0.0))


def test_who_was_asked_before_changes_nothing(known: Known, retriever: Retriever) -> None:
    for one, other in (((0, 4), (1, 5)), ((1, 5), (1,)), ((), (2, 6))):
        retriever.nearest(somebody(*one), EVERYTHING, 5)
        fresh = known.load().on(shelf(ITEMS + YOUNGER))
        assert retriever.affinity(somebody(*other), ALL).tobytes() == fresh.affinity(somebody(*other), ALL).tobytes()
        later = replace(somebody(*other), updated_at=NOW + 86_400_000_000 * 40)
        assert retriever.affinity(later, ALL).tobytes() == fresh.affinity(later, ALL).tobytes()


def test_a_shelf_that_grows_moves_no_item_that_was_there(known: Known, retriever: Retriever) -> None:
    user, old = somebody(0, 4, 9), np.arange(ITEMS)
    trained = known.load().on(shelf())
    assert retriever.affinity(user, old).tobytes() == trained.affinity(user, old).tobytes()
    assert retriever.on(shelf()).affinity(user, old).tobytes() == trained.affinity(user, old).tobytes()


def test_placed_twice_is_placed_once(known: Known, retriever: Retriever) -> None:
    between = known.load().on(shelf(ITEMS + 3))
    for again in (retriever.on(shelf(ITEMS + YOUNGER)), between.on(shelf(ITEMS + YOUNGER))):
        for user in (somebody(0, 4), somebody(ITEMS + 1, 7)):
            assert again.affinity(user, ALL).tobytes() == retriever.affinity(user, ALL).tobytes()
            assert again.nearest(user, EVERYTHING, 9).tolist() == retriever.nearest(user, EVERYTHING, 9).tolist()


def test_a_shelf_shorter_than_the_training_is_no_harm(known: Known) -> None:
    found = known.load().on(shelf(20)).nearest(somebody(0, 4), np.ones(20, dtype=np.bool_), 50)
    assert len(found)
    assert found.max() < 20


def test_the_same_training_gives_the_same_bytes(known: Known) -> None:
    again = known.member.learn(touches(), shelf(), NOW)
    assert digest_of(again.arrays) == known.version.digest
    assert again.parameters == known.trained.parameters
    assert digest_of(known.member.learn(touches(2), shelf(), NOW).arrays) != known.version.digest


def test_bears_the_names_of_its_version(known: Known, retriever: Retriever) -> None:
    assert (retriever.name, retriever.version, retriever.digest) == ("near", "1", known.version.digest)


def test_files_that_are_not_those_registered_are_refused(known: Known, tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="missing"):
        load_model(known.version, tmp_path)
    write_arrays(known.version, tmp_path, known.member.learn(touches(3), shelf(), NOW).arrays)
    with pytest.raises(Unavailable, match="not those that were registered"):
        load_model(known.version, tmp_path)
    file = tmp_path / known.version.path / ARRAYS
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(Unavailable, match="damaged"):
        load_model(known.version, tmp_path)
