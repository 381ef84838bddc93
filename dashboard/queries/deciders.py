"""Who decides: the versions that are served, their scorers, and the models behind them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage import registry, revisions
from storage.database import Read
from storage.records.models import ModelVersion
from storage.records.policies import PolicyState, Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Decider:
    """A version of a policy that is served: the share of subjects that it is meant for, and what ranks for it.

    ``model`` is None where the scorer is no model, such as a list of popular items; ``segmented`` tells whether the
    share is of a segment only.
    """

    policy: str
    version: int
    percent: float
    segmented: bool
    scorer: str
    model: str | None
    threshold: float
    when_uncalibrated: str


def _served(state: PolicyState) -> list[tuple[int, float]]:
    rolled = state.rollout
    found = [(rolled.version, rolled.percent)] if rolled else []
    if state.stable is not None:
        found.append((state.stable, 100.0 - (rolled.percent if rolled and not rolled.segment else 0.0)))
    return [(version, share) for version, share in found if version in state.versions and share > 0.0]


def of(snapshot: Snapshot | None) -> tuple[Decider, ...]:
    """Return every version that a snapshot serves, by policy, the one on its way first."""
    found: list[Decider] = []
    for key, state in sorted(snapshot.policies.items()) if snapshot else ():
        for version, share in _served(state):
            policy = state.versions[version]
            named = policy.scorer.parameters.get("model")
            found.append(
                Decider(
                    policy=key,
                    version=version,
                    percent=share,
                    segmented=bool(state.rollout and state.rollout.segment and version == state.rollout.version),
                    scorer=policy.scorer.name,
                    model=None if named is None else str(named),
                    threshold=policy.confidence.threshold,
                    when_uncalibrated=policy.confidence.when_uncalibrated,
                )
            )
    return tuple(found)


def deciders(read: Read) -> tuple[Decider, ...]:
    """Return every version that is served now."""
    return of(revisions.load(read))


def models(read: Read) -> dict[str, ModelVersion]:
    """Return the model in service by name."""
    return registry.in_service(read)


def counted(decisions: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], tuple[int, int]]:
    """Return of a sample, by policy and version, how many decisions there are and how many the version's own scorer
    served."""
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for one in decisions:
        if one.get("policy") and one.get("version"):
            place = (str(one["policy"]), int(one["version"]))
            n, own = found.get(place, (0, 0))
            found[place] = (n + 1, own + (one.get("served_by") == "model"))
    return found
