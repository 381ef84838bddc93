"""The gauges of a replica: each is read when someone looks."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from scoring_core.edges.instruments import LabelValues
from storage.records.clock import SECOND

if TYPE_CHECKING:
    from scoring_core.edges.replica import Replica

Reading = Mapping[LabelValues, float]

POLICY_LIMIT = 100
GAUGES: Mapping[str, tuple[str, LabelValues]] = {
    "fairlead_ready": ("Whether this replica wants traffic.", ()),
    "fairlead_degraded": ("What does not work as it should.", ("reason",)),
    "fairlead_revision": ("The revision in force.", ()),
    "fairlead_consent_epoch": ("The consent epoch in force.", ()),
    "fairlead_policy_info": ("Policies in force.", ("policy", "version", "state")),
    "fairlead_policy_rollout_ratio": ("Share of a version.", ("policy", "version")),
    "fairlead_model_info": ("Models in service.", ("model", "version")),
    "fairlead_model_age_seconds": ("Since a model was made.", ("model",)),
    "fairlead_dead_letters": ("Events refused since the start.", ()),
    "fairlead_http_requests_in_flight": ("Requests being answered.", ()),
    "fairlead_cache_entries": ("Entries held.", ("cache",)),
    "fairlead_log_backlog": ("Records waiting for the log's disk.", ()),
    "fairlead_circuit_state": ("0 asked, 1 tried, 2 left alone.", ("dependency",)),
    "fairlead_log_head": ("The log's highest sequence number.", ()),
}
"""Every gauge of a replica: what it tells, and its labels."""


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

    readings: Mapping[str, Callable[[], Reading]] = {
        "fairlead_ready": lambda: one(float(replica.ready())),
        "fairlead_degraded": degraded,
        "fairlead_revision": lambda: one(follower.revision),
        "fairlead_consent_epoch": lambda: one(follower.consent.epoch),
        "fairlead_policy_info": lambda: policies(replica),
        "fairlead_policy_rollout_ratio": lambda: rollouts(replica),
        "fairlead_model_info": models,
        "fairlead_model_age_seconds": model_ages,
        "fairlead_dead_letters": lambda: one(replica.intake.dead_letters),
        "fairlead_http_requests_in_flight": lambda: one(replica.in_flight),
        "fairlead_cache_entries": caches,
        "fairlead_log_backlog": lambda: one(replica.log.backlog()),
        "fairlead_circuit_state": replica.plugins.states,
        "fairlead_log_head": lambda: one(replica.log.head()),
    }
    for name, (text, labels) in GAUGES.items():
        telemetry.gauge(name, text, labels).read = readings[name]


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
