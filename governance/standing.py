"""The object of a change as it stands now, as plain JSON."""

from collections.abc import Callable, Mapping
from typing import Any

from governance.installation import installation, kill_switch
from storage import campaigns, caps, policies, registry, rules, toggles
from storage.database import Read
from storage.records.document import dump


def _policy(read: Read, key: str) -> Any:
    head = policies.head(read, key)
    if head is None:
        return None
    return {
        "key": head.key,
        "surface": head.surface,
        "stable": head.stable,
        "previous": head.previous,
        "rollout": dump(head.rollout) if head.rollout else None,
    }


def _campaign(read: Read, key: str) -> Any:
    stored = campaigns.find(read, key)
    return dump(stored.campaign) if stored else None


def _rule(read: Read, key: str) -> Any:
    stored = rules.find(read, key)
    return dump(stored.rule) if stored else None


def _cap(read: Read, key: str) -> Any:
    stored = caps.find(read, key)
    return dump(stored.cap) if stored else None


def _toggle(read: Read, key: str) -> Any:
    stored = toggles.find(read, key)
    return dump(stored.toggle) if stored else None


def _segment(read: Read, key: str) -> Any:
    rule = installation(read).segments.get(key)
    return dump(rule) if rule else None


def _model(read: Read, key: str) -> Any:
    model = registry.in_service(read).get(key)
    return {"version": model.version} if model else None


_READERS: Mapping[str, Callable[[Read, str], Any]] = {
    "policy": _policy,
    "campaign": _campaign,
    "rule": _rule,
    "cap": _cap,
    "toggle": _toggle,
    "segment": _segment,
    "model": _model,
    "settings": lambda read, _key: dump(installation(read)),
    "kill_switch": lambda read, _key: dump(kill_switch(read)),
}


def standing(read: Read, object_kind: str, key: str) -> Any:
    """Return an object as it stands; None where there is none, or none that can be told."""
    reader = _READERS.get(object_kind)
    return None if reader is None else reader(read, key)
