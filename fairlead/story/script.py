"""The demo's script: what people do in thirty days, and what happens to them, in order.

Whatever it leads to (a rollout that goes up, one that is taken back, drift that is seen, a gap that opens and closes)
is found by the product itself: nothing here writes a finding.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fairlead.presets.open_bandit import SURFACE
from fairlead.story.crowd import Context, Crowd, Known
from fairlead.story.stage import DANA, MIO, Stage
from storage import policies
from storage.records.clock import DAY, HOUR
from storage.records.document import dump

PLAN = "clicks-by-group"
CLEARANCE = "clearance"
GROUP, AUDIENCE = "user_feature_0", "user_feature_3"
"""The attribute of the context by which fairness is watched, and the one in which newcomers differ."""
WATCHED_DAYS = 6
NEWCOMERS = 0.45
SLOW_SELLERS = {"item_feature_0": {"$lt": -0.25}}
OTHERS = {"item_feature_0": {"$gte": -0.25}}
HALF_DAY_S = 43_200
STEPS = (25.0, 50.0, 100.0)
RANKER = 2
"""The version of the preset that the story lets out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What scenes work with: the stage, the people, and when the story began."""

    stage: Stage
    crowd: Crowd
    start: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What happens at ``day`` (days since the beginning, with a fraction for the hour). What ``lasts`` changes the
    people, not the installation: it is played again when a story is taken up where it was interrupted."""

    day: float
    name: str
    act: Callable[[Told], None]
    lasts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Days:
    """When the turns of the story come."""

    plan: float = 1.4
    ramp: float = 1.6
    clearance: float = 9.4
    no_clearance: float = 12.4
    reference: float = 17.4
    newcomers: float = 18.4
    normal: float = 23.6
    harm: float = 24.4
    next_ramp: float = 28.4
    normal_days: tuple[float, float] = (12.5, 17.0)
    last: int = 30


def _draft(told: Told, note: str, **changed: Any) -> int:
    """Draft a version like the first, but for what is ``changed``; return its number."""
    stage = told.stage
    with stage.store.database.read() as read:
        newest = max(each.version for each in policies.versions(read, SURFACE))
        ranker = policies.documents(read, SURFACE, (RANKER,))[RANKER]
    document = {**dump(ranker), **changed}
    stage.act("policy.draft", SURFACE, {"document": document, "note": note}, by=DANA, reason=note)
    return newest + 1


def _card(told: Told, version: int, use: str, limits: str) -> None:
    card = {"intended_use": use, "limits": limits, "owner": "dana (demo)"}
    payload = {"version": str(version), "card": card}
    told.stage.act("policy.card", SURFACE, payload, by=DANA, reason=f"the card of version {version}")


def _ramp(told: Told, version: int, reason: str, *, steps: tuple[float, ...], dwell_s: int) -> None:
    plan = {
        "version": version,
        "steps": steps,
        "dwell_s": dwell_s,
        "tolerance": 0.5,
        "groups": (GROUP,),
        "waived": ("fairness",),
        "slow_ms": 400.0,
    }
    told.stage.act("rollout.start", SURFACE, plan, by=DANA, reason=reason)


def plan_fairness(told: Told) -> None:
    """Have the click rates of two groups compared every day."""
    plan = {
        "key": PLAN,
        "title": "Clicks by group of visitors",
        "every_hours": 24,
        "order": {
            "attributes": (GROUP,),
            "intersections": False,
            "metrics": ("click_rate", "exposure"),
            "origins": ("simulated",),
            "days": WATCHED_DAYS,
        },
    }
    told.stage.act(
        "fairness_plan.create", PLAN, {"plan": plan}, by=DANA, reason="groups are compared daily from now on"
    )


def ramp_ranker(told: Told) -> None:
    """Let the trained ranker go out step by step."""
    _ramp(told, RANKER, "the ranker takes over from the shop's order, step by step", steps=STEPS, dwell_s=HALF_DAY_S)


def set_reference(told: Told, first: float, last: float) -> None:
    """Say what normal traffic is."""
    payload = {
        "start": told.start + round(first * 24) * HOUR,
        "end": told.start + round(last * 24) * HOUR,
        "origins": ("simulated",),
    }
    told.stage.act("drift.reference", SURFACE, payload, by=DANA, reason="these days are what normal traffic looks like")
    accepted = {"feature": "user.events", "until": told.stage.clock.now() + 60 * DAY}
    told.stage.act("drift.accept", SURFACE, accepted, by=DANA, reason="what is known of people grows as they come back")


def clear_stock(told: Told) -> None:
    """Show slow sellers to one group: its click rate will suffer."""
    group = told.crowd.logged.value(GROUP, 1)
    rule = {
        "key": CLEARANCE,
        "name": "Clearance, tried on one group of visitors",
        "action": "exclude",
        "when": {GROUP: group},
        "items": OTHERS,
        "priority": 10,
        "surfaces": (SURFACE,),
        "reason": "On sale this week",
    }
    told.stage.act(
        "rule.create", CLEARANCE, {"rule": rule}, by=MIO, reason="old stock has to go before the season ends"
    )


def stop_clearance(told: Told) -> None:
    """Take the rule back: the audit said whom it costs."""
    told.stage.act(
        "rule.disable", CLEARANCE, {}, by=MIO, reason="the fairness audit shows that it costs this group its clicks"
    )


def audience(logged: Known) -> Context:
    """Return what holds of newcomers: what was rarest of all before."""
    return {AUDIENCE: logged.value(AUDIENCE, -1)}


def bring_newcomers(told: Told) -> None:
    """Let another audience in."""
    told.crowd.shift(audience(told.crowd.logged), NEWCOMERS)


def ramp_clearance(told: Told) -> None:
    """Let a version go out that shows slow sellers only: its gates will take it back."""
    version = _draft(told, "clearance for everyone: slow sellers only", filters=SLOW_SELLERS)
    _card(
        told,
        version,
        "Sells what is left of the season on the home page.",
        "It hides what sells well; clicks may fall.",
    )
    _ramp(told, version, "the season ends: clearance for everyone", steps=STEPS, dwell_s=HALF_DAY_S)


def ramp_calmer(told: Told) -> None:
    """Begin a rollout that is still under way when the story ends."""
    version = _draft(told, "the ranker with less exploration", exploration={"epsilon": 0.02})
    _card(told, version, "Ranks the home page with less trying out.", "New items are found later than with version 2.")
    _ramp(told, version, "less trying out on the home page", steps=STEPS, dwell_s=2 * HALF_DAY_S)


def script(days: Days) -> tuple[Scene, ...]:
    """Return the scenes in order."""
    first, last = days.normal_days
    scenes = (
        Scene(day=days.plan, name="fairness is watched", act=plan_fairness),
        Scene(day=days.ramp, name="the ranker ramps", act=ramp_ranker),
        Scene(day=days.reference, name="normal is said", act=lambda told: set_reference(told, first, last)),
        Scene(day=days.clearance, name="a gap opens", act=clear_stock),
        Scene(day=days.no_clearance, name="the gap closes", act=stop_clearance),
        Scene(day=days.newcomers, name="another audience comes", act=bring_newcomers, lasts=True),
        Scene(day=days.harm, name="a harmful version goes out", act=ramp_clearance),
        Scene(
            day=days.normal,
            name="a new normal is said",
            act=lambda told: set_reference(told, days.normal - 4.0, days.normal - 0.1),
        ),
        Scene(day=days.next_ramp, name="the next version begins", act=ramp_calmer),
    )
    return tuple(sorted((scene for scene in scenes if scene.day < days.last), key=lambda scene: scene.day))
