"""Every kind of control action.

Kinds of change and their payloads (also what ``Control.do`` takes)::

    campaign.create  {"campaign": Campaign}              campaign.edit   {"campaign": Campaign}
    campaign.start   {}    campaign.pause {}             campaign.resume {}    campaign.end {}
    rule.create      {"rule": Rule}                      rule.edit       {"rule": Rule}
    rule.enable      {}    rule.disable {}               rule.rollback   {}    rule.delete  {}
    segment.create   {"rule": SegmentRule}               segment.edit    {"rule": SegmentRule}   segment.delete {}
    fairness_plan.create {"plan": FairnessPlan}          fairness_plan.edit {"plan"}  fairness_plan.delete {}
    cap.create       {"cap": Cap}                        cap.edit        {"cap": Cap}
    cap.rollback     {}                                  cap.delete      {}
    toggle.create    {"toggle": Toggle}                  toggle.edit     {"toggle": Toggle}
    toggle.enable    {}    toggle.disable {}             toggle.rollback {}    toggle.delete {}
    policy.create    {"surface"}                         policy.draft    {"document": Policy, "note"?}
    policy.rollout   {"version", "percent" | "steps": [5, 25, 100], "segment"?}
    rollout.start    GatedPlan: {"version", "steps"?, "segment"?, "dwell_s"?, "outcome"?, "tolerance"?, "waived"?, …}
    policy.card      {"version", "card": Card}           model.card      {"version", "card": Card}
    policy.rollback  {}                                  kill.on {}      kill.off {}
    settings.edit    {"installation": Installation}      model.promote   {"version"}    model.rollback {}
    sync.create      {"sync": CatalogueSync}             sync.edit       {"sync": CatalogueSync}
    drift.reference  {"start", "end", "origins"?, "methods"?}
    drift.accept     {"feature", "until"}                drift.withdraw  {"feature"}
    slo.create       {"slo": Slo}                        slo.edit        {"slo": Slo}     slo.rollback {}
    slo.delete       {}
    benchmarks.put   {"rows": [Benchmark]}
    role.create      {"role": Role}                      role.edit       {"role": Role}          role.delete {}
    sync.remove      {}                                  items.put       {"items": [Item]}
    subject.erase    {}    subject.export {}             (the key is the request's id; always D3)
"""

from collections.abc import Mapping

from governance import (
    authoring,
    benchmarks,
    best_variant,
    campaigns,
    capping,
    cards,
    consent_texts,
    drifting,
    erasure,
    fairness_plans,
    installation,
    platforms,
    policies,
    promotion,
    roles,
    segments,
    syncs,
    toggling,
    trends,
)
from governance.actions import Action
from governance.alerts import objectives
from governance.rollouts import start
from storage.errors import Invalid, Problem

ACTIONS: Mapping[str, Action] = {
    action.kind: action
    for room in (
        policies,
        campaigns,
        installation,
        promotion,
        best_variant,
        benchmarks,
        authoring,
        syncs,
        segments,
        capping,
        cards,
        consent_texts,
        platforms,
        toggling,
        trends,
        start,
        erasure,
        fairness_plans,
        drifting,
        objectives,
        roles,
    )
    for action in room.ACTIONS
}


def action_of(kind: str) -> Action:
    """Return the action of a kind.

    Raises
    ------
    Invalid
        If there is none.
    """
    action = ACTIONS.get(kind)
    if action is None:
        message = "must be one of " + ", ".join(sorted(ACTIONS))
        raise Invalid(f"kind: {message}", problems=(Problem(field="kind", message=message),))
    return action
