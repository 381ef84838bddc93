"""Control state compiled from its tables into the one document that engines read."""

from governance.best_variant import best_variants
from governance.installation import installation, kill_switch
from governance.trends import trends
from storage import campaigns, caps, policies, registry, rules, toggles
from storage.database import Read
from storage.records.policies import PolicyState, Snapshot


def compile_snapshot(read: Read, *, at: int, environment: str) -> Snapshot:
    """Return the state of now as a snapshot that has no number yet."""
    return Snapshot(
        revision=0,
        at=at,
        environment=environment,
        kill_switch=kill_switch(read),
        installation=installation(read),
        policies={
            head.key: PolicyState(
                key=head.key,
                surface=head.surface,
                stable=head.stable,
                rollout=head.rollout,
                versions=policies.documents(read, head.key, head.in_service),
            )
            for head in policies.heads(read)
        },
        campaigns={stored.campaign.key: stored.campaign for stored in campaigns.listed(read)},
        caps={stored.cap.key: stored.cap for stored in caps.listed(read)},
        rules={stored.rule.key: stored.rule for stored in rules.listed(read)},
        toggles={stored.toggle.key: stored.toggle for stored in toggles.listed(read)},
        best_variants=best_variants(read),
        trending=trends(read),
        models={name: model.version for name, model in registry.in_service(read).items()},
    )
