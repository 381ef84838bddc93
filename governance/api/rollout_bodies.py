"""What commands of gated rollouts carry."""

from governance.api.bodies import Name, Text
from storage.records.document import document
from storage.records.rollouts import GatedPlan


@document
class RolloutDraft:
    """A gated rollout that is thought of."""

    policy: Name
    plan: GatedPlan


@document
class NewRollout:
    """A gated rollout to begin."""

    policy: Name
    plan: GatedPlan
    reason: Text
    confirm: Text = ""
