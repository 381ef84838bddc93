"""Many conditions looked up together give what asking each gives."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.conditions import compile_condition
from scoring_core.matching import Matcher

NUMBERS = st.one_of(
    st.integers(-3, 3), st.sampled_from((0.5, -0.5, 2.0, float("inf"), float("-inf"), 10**400, 1e300, -0.0))
)
NAMES = st.sampled_from(("age", "town", "user.clicks", "user.home.town"))
TEXTS = st.sampled_from(("Ulm", "Bonn", "", "2", "nan"))
OPERANDS = st.one_of(
    TEXTS,
    NUMBERS,
    st.none(),
    st.booleans(),
    st.dictionaries(st.sampled_from(("$gt", "$gte", "$lt", "$lte")), NUMBERS, min_size=1, max_size=3),
    st.dictionaries(st.sampled_from(("$gt", "$lte", "$eq", "$ne")), TEXTS, min_size=1, max_size=2),
    st.fixed_dictionaries({"$in": st.lists(st.one_of(TEXTS, st.integers(-1, 1)), max_size=2)}),
    st.fixed_dictionaries({"$exists": st.booleans()}),
)
PLAIN = st.dictionaries(NAMES, OPERANDS, max_size=3)
CONDITIONS = st.one_of(
    PLAIN,
    st.fixed_dictionaries({"$or": st.lists(PLAIN, max_size=2)}),
    st.builds(lambda one, two: {**one, "$not": two}, PLAIN, PLAIN),
    st.just({"$and": "x"}),
)
VALUES = st.one_of(NUMBERS, TEXTS, st.none(), st.booleans(), st.just(float("nan")), st.just([1, "Ulm"]), st.just({}))
ATTRIBUTES = st.fixed_dictionaries(
    {},
    optional={
        "age": VALUES,
        "town": VALUES,
        "user": st.one_of(
            VALUES,
            st.fixed_dictionaries(
                {}, optional={"clicks": VALUES, "home": st.one_of(VALUES, st.fixed_dictionaries({"town": VALUES}))}
            ),
        ),
    },
)


@settings(max_examples=400)
@given(st.lists(CONDITIONS, max_size=8), ATTRIBUTES)
def test_looking_up_equals_asking_each(documents: list[Any], attributes: dict[str, Any]) -> None:
    try:
        each = [compile_condition(document)(attributes) for document in documents]
    except OverflowError:  # a number beyond a double is compared with nothing, and no record holds one
        return
    found = Matcher(documents).holding(attributes)
    assert [bool(found >> place & 1) for place in range(len(documents))] == each
    assert found >> len(documents) == 0


def test_no_conditions_and_empty_ones() -> None:
    assert Matcher([]).holding({"age": 1}) == 0
    assert Matcher([{}, {}]).holding({}) == 0b11


def test_a_hundred_conditions_keep_their_places() -> None:
    documents = [{"age": {"$gte": number}} for number in range(100)]
    assert Matcher(documents).holding({"age": 64}) == (1 << 65) - 1
