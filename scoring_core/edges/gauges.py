"""The gauges of a replica: each is read when someone looks."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from scoring_core.edges.instruments import LabelValues
from storage.records.clock import SECOND

if TYPE_CHECKING:
    from scoring_core.edges.replica import Replica

Reading = Mapping[LabelValues, float]

POLICY_LIMIT = 100


def declare_gauges(replica: "Replica") -> None:
    """Declare the gauges and say where each is read."""
    follower, telemetry = replica.follower, replica.telemetry

    def one(value: float) -> Reading:
        return {(): value}

    def models() -> Reading:
        return {(name, model.version): 1.0 for name, model in follower.parts.held.versions.items()}

    def model_ages() -> Reading:
        now = replica.now()
        return {(name,): (now - model.created_at) / SECOND for name, model in follower.parts.held.versions.items()}

    def caches() -> Reading:
        return {
            ("pseudonym",): float(len(replica.identities)),
            ("consent",): float(len(follower.consent)),
            ("candidate",): float(len(follower.lists)),
        }

    def degraded() -> Reading:
        return {(reason,): float(on) for reason, on in replica.degraded().items()}

    declared: tuple[tuple[str, str, LabelValues, Callable[[], Reading]], ...] = (
        ("ready", "Whether this replica wants traffic.", (), lambda: one(float(replica.ready()))),
        ("degraded", "What does not work as it should.", ("reason",), degraded),
        ("revision", "The revision in force.", (), lambda: one(follower.revision)),
        ("consent_epoch", "The consent epoch in force.", (), lambda: one(follower.consent.epoch)),
        ("policy_info", "Policies in force.", ("policy", "version", "state"), lambda: policies(replica)),
        ("policy_rollout_ratio", "Share of a version.", ("policy", "version"), lambda: rollouts(replica)),
        ("model_info", "Models in service.", ("model", "version"), models),
        ("model_age_seconds", "Since a model was made.", ("model",), model_ages),
        ("dead_letters", "Events refused since the start.", (), lambda: one(replica.intake.dead_letters)),
        ("http_requests_in_flight", "Requests being answered.", (), lambda: one(replica.in_flight)),
        ("cache_entries", "Entries held.", ("cache",), caches),
        ("log_backlog", "Records waiting for the log's disk.", (), lambda: one(replica.log.backlog())),
        ("circuit_state", "0 asked, 1 tried, 2 left alone.", ("dependency",), replica.plugins.states),
        ("log_head", "The log's highest sequence number.", (), lambda: one(replica.log.head())),
    )
    for name, text, labels, read in declared:
        telemetry.gauge(f"fairlead_{name}", text, labels).read = read


def policies(replica: "Replica") -> Reading:
    """Return the stable and the rolling version of each policy, at most 100."""
    live, found = replica.follower.live, {}
    for key, state in sorted(live.snapshot.policies.items()) if live is not None else ():
        if state.stable is not None:
            found[key, str(state.stable), "active"] = 1.0
        if state.rollout is not None:
            found[key, str(state.rollout.version), "canary"] = 1.0
    return dict(list(found.items())[:POLICY_LIMIT])


def rollouts(replica: "Replica") -> Reading:
    """Return the share of each version that is being rolled out, and of the stable one beside it."""
    live, found = replica.follower.live, {}
    for key, state in sorted(live.snapshot.policies.items()) if live is not None else ():
        share = state.rollout.percent / 100 if state.rollout is not None else 0.0
        if state.rollout is not None:
            found[key, str(state.rollout.version)] = share
        if state.stable is not None:
            found[key, str(state.stable)] = 1.0 - share
    return dict(list(found.items())[:POLICY_LIMIT])
