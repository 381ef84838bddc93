"""Toggles give what GrowthBook's public cases say, and what their corners should."""

from itertools import pairwise
from typing import Any

import pytest

from scoring_core.toggles import Evaluation, evaluate, plan_toggles
from storage.records.toggles import Namespace, Prerequisite, Toggle, ToggleFilter, ToggleRule
from tests.scoring_core.experiments.test_hashing import shared

SOURCES = {
    "defaultValue": "default",
    "unknownFeature": "unknown",
    "cyclicPrerequisite": "cyclic_prerequisite",
}
ELSEWHERE = {"url", "qaMode", "enabled", "forcedVariations"}
"""What only a library inside a browser or a test bench has."""


def condition(document: Any) -> Any:
    return document or {}


def rule(given: dict[str, Any], place: int) -> ToggleRule:
    """One of GrowthBook's rules as one of ours."""
    space = given.get("namespace")
    experiment = given.get("variations") or given.get("contextualVariations") or ()
    ranges = given.get("ranges") or ([given["range"]] if "range" in given else ())
    return ToggleRule(
        key=str(given.get("key", place)),
        when=condition(given.get("condition")),
        value=given.get("force"),
        variations=tuple(experiment),
        weights=tuple(given.get("weights", ())),
        coverage=given.get("coverage"),
        ranges=tuple((low, high) for low, high in ranges),
        passthrough=tuple(n for n, meta in enumerate(given.get("meta", ())) if meta.get("passthrough")),
        by=given.get("hashAttribute", "id"),
        else_by=given.get("fallbackAttribute", ""),
        seed=given.get("seed") or (given.get("key", "") if experiment else ""),
        hash_version=given.get("hashVersion", 1),
        namespace=Namespace(name=space[0], low=space[1], high=space[2]) if space else None,
        filters=tuple(
            ToggleFilter(
                seed=each["seed"],
                ranges=tuple((low, high) for low, high in each["ranges"]),
                by=each.get("attribute", "id"),
                hash_version=each.get("hashVersion", 2),
            )
            for each in given.get("filters", ())
        ),
        requires=tuple(
            Prerequisite(toggle=each["id"], when=each["condition"], gate=each.get("gate", False))
            for each in given.get("parentConditions", ())
        ),
    )


def toggle(key: str, given: dict[str, Any]) -> Toggle:
    rules = tuple(rule(one, place) for place, one in enumerate(given.get("rules", ())))
    return Toggle(key=key, kind="object", enabled=True, default=given.get("defaultValue"), rules=rules)


def asked(world: dict[str, Any], key: str, *more: Toggle) -> Evaluation:
    toggles = [toggle(name, given) for name, given in world.get("features", {}).items()]
    planned = plan_toggles([*toggles, *more], groups=world.get("savedGroups"))
    return evaluate(key, planned, world.get("attributes", {}), ids={}, now=0)


def test_features_equal_growthbook() -> None:
    cases = [case for case in shared("growthbook/cases_open.json")["feature"] if not ELSEWHERE & case[1].keys()]
    assert len(cases) >= 27
    for name, world, key, expected in cases:
        found = asked(world, key)
        source = SOURCES.get(expected["source"], expected["source"])
        assert (found.value, found.on, found.source) == (expected["value"], expected["on"], source), name
        drawn = expected.get("experimentResult")
        if drawn is not None:
            assert (found.variation, found.bucket) == (drawn["variationId"], drawn["bucket"]), name


def test_experiments_with_coverage_and_namespaces_equal_growthbook() -> None:
    cases = [
        case
        for case in shared("growthbook/cases_open.json")["run"]
        if not ELSEWHERE & case[1].keys() and "force" not in case[2]
    ]
    assert len(cases) >= 32
    for name, world, experiment, value, inside, _hashed in cases:
        found = asked(world, "asked", toggle("asked", {"defaultValue": "outside", "rules": [experiment]}))
        assert (found.value, found.source) == ((value, "experiment") if inside else ("outside", "default")), name


def on(**more: Any) -> Toggle:
    return Toggle(key="new", enabled=True, default=False, rules=(ToggleRule(key="r", value=True, **more),))


def given(one: Toggle, *, subject: str | None = "u-1", now: int = 0, **attributes: Any) -> Evaluation:
    ids = {"subject": subject, "session": None}
    return evaluate(one.key, plan_toggles([one]), attributes, ids=ids, now=now)


def test_a_share_reaches_only_those_who_may_be_hashed() -> None:
    assert given(on(coverage=1.0)).value is True
    assert given(on(coverage=1.0), subject=None).source == "default"
    assert given(on(), subject=None).value is True
    assert given(on(coverage=0.0)).value is False


def test_a_growing_share_keeps_whom_it_had() -> None:
    people = [f"u-{number}" for number in range(2_000)]
    reached = [{one for one in people if given(on(coverage=share), subject=one).on} for share in (0.01, 0.1, 0.5, 1.0)]
    assert all(before <= after for before, after in pairwise(reached))
    assert len(reached[-1]) == len(people) and 120 <= len(reached[1]) <= 280


def test_a_schedule_opens_and_closes_a_rule() -> None:
    hour = 3_600_000_000
    one = on(starts_at=hour, ends_at=2 * hour)
    assert [given(one, now=now).on for now in (0, hour, 2 * hour - 1, 2 * hour)] == [False, True, True, False]


@pytest.mark.parametrize("value", [3, 3.0, "3"])
def test_numbers_are_hashed_as_they_are_written(value: Any) -> None:
    assert (
        given(on(coverage=1.0, by="place"), place=value).bucket == given(on(coverage=1.0, by="place"), place="3").bucket
    )


def test_who_is_off_gives_the_default() -> None:
    assert given(
        Toggle(key="new", default="old", kind="string", rules=(ToggleRule(key="r", value="x"),))
    ) == Evaluation(value="old", source="disabled")
