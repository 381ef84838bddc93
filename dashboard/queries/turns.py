"""What a revision turned: policies, models, rules, caps, campaigns, toggles, settings, the kill switch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from storage.records.policies import PolicyState, Snapshot

PAGES: Mapping[str, str] = {
    "policy": "policies",
    "model": "models",
    "rule": "rules",
    "cap": "caps",
    "campaign": "heatmaps",
    "toggle": "toggles",
    "settings": "ledger",
    "kill switch": "ledger",
}
"""Where each kind is looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One thing that a revision changed, at the instant of the revision."""

    at: int
    revision: int
    kind: str
    text: str


def served(state: PolicyState | None) -> str:
    """Return whom a policy serves with what, in a few words."""
    if state is None or (state.rollout is None and state.stable is None):
        return "to nobody"
    if state.rollout is not None:
        return f"v{state.rollout.version} at {state.rollout.percent:g} %"
    return f"v{state.stable} to everyone"


def _written(noun: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key in sorted(old.keys() | new.keys()):
        before, after = old.get(key), new.get(key)
        if before == after:
            continue
        if before is None:
            told = "was created"
        elif after is None:
            told = "was deleted"
        elif getattr(before, "enabled", None) != getattr(after, "enabled", None):
            told = "was turned on" if after.enabled else "was turned off"
        elif getattr(before, "status", None) != getattr(after, "status", None):
            told = f"went from {before.status} to {after.status}"
        else:
            told = "was edited"
        yield noun, f"{noun} {key} {told}"


def _told(old: Snapshot, new: Snapshot) -> Iterator[tuple[str, str]]:
    for key in sorted(old.policies.keys() | new.policies.keys()):
        if served(old.policies.get(key)) != served(new.policies.get(key)):
            yield "policy", f"{key} {served(new.policies.get(key))}"
    if old.kill_switch.on != new.kill_switch.on:
        yield "kill switch", f"kill switch {'on' if new.kill_switch.on else 'off'}"
    for name in sorted(old.models.keys() | new.models.keys()):
        if old.models.get(name) != new.models.get(name):
            yield "model", f"model {name} {new.models.get(name) or 'left service'}"
    yield from _written("rule", old.rules, new.rules)
    yield from _written("cap", old.caps, new.caps)
    yield from _written("campaign", old.campaigns, new.campaigns)
    yield from _written("toggle", old.toggles, new.toggles)
    if old.installation != new.installation:
        yield "settings", "settings of the installation changed"


def between(old: Snapshot, new: Snapshot) -> tuple[Turn, ...]:
    """Return what the newer of two revisions changed; what is computed anew by itself (best variants, trends) is no
    change."""
    return tuple(Turn(at=new.at, revision=new.revision, kind=kind, text=text) for kind, text in _told(old, new))
