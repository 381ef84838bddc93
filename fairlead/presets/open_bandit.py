"""The demo: a fashion shop's three campaigns on one surface, a popularity policy and a ranker rolled out to half, two
rules, a cap."""

from collections.abc import Mapping

from governance.preset import Preset, PresetPolicy
from storage.records.campaigns import Campaign
from storage.records.caps import Cap
from storage.records.events import Scalar
from storage.records.policies import (
    Attribute,
    ConfidenceRule,
    Exploration,
    Installation,
    Policy,
    ScorerChoice,
    Source,
    Surface,
)
from storage.records.rules import Rule, RuleArm
from storage.records.standard_events import standard_events

CAMPAIGNS = {"all": "All fashion", "men": "Men's fashion", "women": "Women's fashion"}
CONTEXT = ("user_feature_0", "user_feature_1", "user_feature_2", "user_feature_3")
SURFACE = "home"
SLOTS = 3
ZONE = "Asia/Tokyo"
"""The shop is Japanese; its hours are read in its own zone."""


APP: Mapping[str, Scalar] = {
    "theme": "light",
    "layout": "comfortable",
    "navigation": "home,offers,search",
    "difficulty": "beginner",
    "tips": True,
}
"""What rules may adapt of the app that shows the demo."""


def installation(region: str = "demo") -> Installation:
    """Return the demo's settings. Its region allows what the shipped default denies; pages say so."""
    return Installation(
        region=region,
        consent_default={
            "default": {},
            region: {"tracking": "allow", "personalization": "allow", "profiling": "allow"},
        },
        events=standard_events(),
        app=dict(APP),
        surfaces={
            SURFACE: Surface(
                key=SURFACE, context={name: Attribute(type="string") for name in CONTEXT}, default_slots=SLOTS
            )
        },
    )


def campaigns() -> tuple[Campaign, ...]:
    """Return the three campaigns; each shows the items of its own log."""
    return tuple(
        Campaign(
            key=key,
            name=name,
            surfaces=(SURFACE,),
            status="running",
            zone=ZONE,
            goal="click",
            item_filter={"campaign": key},
        )
        for key, name in CAMPAIGNS.items()
    )


def policies() -> tuple[PresetPolicy, ...]:
    """Return the demo's policy: popularity is stable, the ranker is rolled out to half of the subjects."""
    sources = (Source(name="caller"), Source(name="catalogue"))
    popular = Policy(surface=SURFACE, scorer=ScorerChoice(name="popular"), sources=sources)
    ranker = Policy(
        surface=SURFACE,
        scorer=ScorerChoice(name="gbdt", parameters={"model": "ranker"}),
        confidence=ConfidenceRule(when_uncalibrated="model"),
        sources=sources,
        exploration=Exploration(epsilon=0.05),
    )
    return (PresetPolicy(key=SURFACE, surface=SURFACE, versions=(popular, ranker), stable=1, rollout=2, percent=50.0),)


def rules() -> tuple[Rule, ...]:
    """Return the demo's rules: one tried on half of the people, one for who is new."""
    return (
        Rule(
            key="evening",
            name="Strong sellers in the evening",
            action="boost",
            items={"item_feature_0": {"$gt": 0.0}},
            factor=1.15,
            surfaces=(SURFACE,),
            hours=(18, 19, 20, 21, 22, 23),
            zone=ZONE,
            arms=(RuleArm(key="off", share=0.5, off=True),),
            reason="Liked in the evening",
        ),
        Rule(
            key="welcome",
            name="Strong sellers for who is new",
            action="boost",
            when={"user.segments": {"$in": ["new"]}},
            items={"item_feature_0": {"$gt": 0.0}},
            factor=1.1,
            surfaces=(SURFACE,),
            reason="A good one to begin with",
        ),
    )


def caps() -> tuple[Cap, ...]:
    """Return the demo's cap: nobody sees one item more than a dozen times within an hour."""
    return (Cap(key="same-item", limit=12, unit="hour", per="item"),)


def preset() -> Preset:
    """Return the demo."""
    return Preset(
        name="open-bandit",
        installation=installation(),
        campaigns=campaigns(),
        policies=policies(),
        rules=rules(),
        caps=caps(),
        notes={"data": "Open Bandit Dataset, imported; outcomes of live traffic come from a click model (simulated)"},
    )
