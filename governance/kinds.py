"""Every kind of control action."""

from collections.abc import Mapping

from governance import (
    authoring,
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
    segments,
    syncs,
    toggling,
    trends,
)
from governance.actions import Action
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
