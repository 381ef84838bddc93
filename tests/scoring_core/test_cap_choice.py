"""What a slate may be chosen from where caps hold, what counts for it, and where each cap holds."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoring_core.caps import PlannedCap, concerning, hold, number_of, numbered, plan_cap, ration
from scoring_core.shelf import build_shelf
from storage.records.caps import Cap
from tests.scoring_core.world import catalogue

SHELF = build_shelf(catalogue())
LIMITS = st.integers(0, 4)


@given(
    limits=st.fixed_dictionaries({"item": LIMITS, "attribute": LIMITS, "any": LIMITS}),
    counted=st.dictionaries(st.sampled_from([f"i{n}" for n in range(12)]), st.integers(0, 4)),
    kinds=st.dictionaries(st.sampled_from(["book", "shoe"]), st.integers(0, 4)),
    everything=st.integers(0, 4),
    rows=st.permutations(range(12)),
    pinned=st.dictionaries(st.integers(0, 5), st.integers(0, 11), max_size=2),
    slots=st.integers(1, 6),
    choice=st.randoms(use_true_random=False),
)
@settings(max_examples=300)
def test_no_choice_of_what_is_left_passes_any_cap(
    limits: Mapping[str, int],
    counted: Mapping[str, int],
    kinds: Mapping[str, int],
    everything: int,
    rows: list[int],
    pinned: dict[int, int],
    slots: int,
    choice: Any,
) -> None:
    caps = [
        Cap(key="item", limit=limits["item"]),
        Cap(key="kind", limit=limits["attribute"], per="attribute", attribute="kind"),
        Cap(key="any", limit=limits["any"], per="any"),
    ]
    planned = tuple(plan_cap(cap, "installation", "", SHELF) for cap in caps)
    counts = {f"item:{i}": n for i, n in counted.items()} | {f"kind:{k}": n for k, n in kinds.items()}
    counts["any:"] = everything
    ordinals = np.arange(12)
    held = hold(planned, ordinals, counts=numbered(counts, planned, SHELF), shelf=SHELF, campaign=None, slots=slots)
    kept = ordinals if held.kept is None else ordinals[held.kept]
    order = np.array([row for row in rows if row in set(kept.tolist())], dtype=np.int64)
    fixed = dict.fromkeys(pinned)
    pins = {slot: row for slot, row in pinned.items() if row in set(order.tolist()) and slot < slots}
    pins = {slot: row for slot, row in pins.items() if list(pins.values()).index(row) == list(pins).index(slot)}
    left = ration(held, order, pins, slots)
    free = [row for row in left.order.tolist() if row not in left.pins.values()]
    slate = [*left.pins.values(), *choice.sample(free, len(free))][: left.slots]
    assert len(fixed) >= len(left.pins)
    assert len(slate) <= max(limits["any"] - everything, 0)
    for row in slate:
        assert counted.get(f"i{row}", 0) < limits["item"]
    for kind, shown in Counter(("book", "shoe")[row % 2] for row in slate).items():
        assert kinds.get(kind, 0) + shown <= limits["attribute"]
    allowed = [row for row in order.tolist() if counted.get(f"i{row}", 0) < limits["item"]]
    if not set(left.caps):
        assert len(left.order) == len(allowed)


def test_counters_have_names_and_numbers_that_name_each_other() -> None:
    cases: list[tuple[PlannedCap, int, str | None, str]] = [
        (plan_cap(Cap(key="a", limit=1), "installation", "", SHELF), 3, None, "a:i3"),
        (plan_cap(Cap(key="a", limit=1, per="any"), "policy", "home", SHELF), 3, None, "policy/home/a:"),
        (
            plan_cap(Cap(key="a", limit=1, per="attribute", attribute="kind"), "installation", "", SHELF),
            3,
            None,
            "a:shoe",
        ),
        (plan_cap(Cap(key="a", limit=1, per="campaign"), "installation", "", SHELF), 3, "men", "a:men"),
    ]
    for planned, ordinal, campaign, name in cases:
        (value,) = planned.values((ordinal,), campaign)
        assert value is not None
        assert planned.counter(value, shelf=SHELF, campaign=campaign) == name
    absent = plan_cap(Cap(key="a", limit=1, per="attribute", attribute="nothing"), "installation", "", SHELF)
    assert absent.values((3,), None) == [None]
    assert cases[3][0].values((3,), None) == [None]
    assert number_of("a") >= 16


def test_caps_concern_the_surfaces_and_campaigns_that_they_name() -> None:
    caps = [
        plan_cap(Cap(key="x", limit=1, surfaces=("home",)), "installation", "", SHELF),
        plan_cap(Cap(key="y", limit=1, campaigns=("men",)), "installation", "", SHELF),
        plan_cap(Cap(key="z", limit=1), "campaign", "women", SHELF, campaigns=("women",)),
    ]

    def names(surface: str, campaign: str | None) -> list[str]:
        return [each.cap.key for each in concerning(caps, surface, campaign)]

    assert names("home", None) == ["x"]
    assert names("cart", "men") == ["y"]
    assert names("home", "women") == ["x", "z"]
