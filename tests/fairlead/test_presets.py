"""The demo's preset: what a fresh installation of it allows, runs and rolls out."""

from fairlead.presets.open_bandit import CONTEXT, preset
from storage.records.document import dump, parse
from storage.records.policies import Installation, Policy


def test_the_demo_region_allows_what_the_shipped_default_denies() -> None:
    installation = preset().installation
    assert installation.consent_default["default"] == {}
    assert installation.consent_default[installation.region]["personalization"] == "allow"
    assert Installation().consent_default == {"default": {}}


def test_the_ranker_is_rolled_out_to_half_and_popularity_is_stable() -> None:
    (policy,) = preset().policies
    assert (policy.stable, policy.rollout, policy.percent) == (1, 2, 50.0)
    popular, ranker = policy.versions
    assert popular.scorer.name == "popular"
    assert (ranker.scorer.name, ranker.confidence.when_uncalibrated) == ("gbdt", "model")
    assert ranker.scorer.parameters == {"model": "ranker"}


def test_three_campaigns_run_on_the_one_surface_with_a_closed_context() -> None:
    demo = preset()
    assert {campaign.key: campaign.status for campaign in demo.campaigns} == dict.fromkeys(
        ("all", "men", "women"), "running"
    )
    assert all(campaign.surfaces == ("home",) for campaign in demo.campaigns)
    assert tuple(demo.installation.surfaces["home"].context) == CONTEXT


def test_one_rule_is_tried_on_half_and_a_cap_lets_a_dozen_through() -> None:
    demo = preset()
    evening, welcome = demo.rules
    assert {arm.key: (arm.share, arm.off) for arm in evening.arms} == {"off": (0.5, True)}
    assert welcome.when == {"user.segments": {"$in": ["new"]}}
    assert [(cap.per, cap.limit, cap.unit) for cap in demo.caps] == [("item", 12, "hour")]


def test_its_documents_are_valid_ones() -> None:
    demo = preset()
    assert parse(Installation, dump(demo.installation)) == demo.installation
    for version in demo.policies[0].versions:
        assert parse(Policy, dump(version)) == version
