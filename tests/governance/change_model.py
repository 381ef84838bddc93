"""What may take effect of changes, as a model knows it by the rules alone, and what is proposed to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from storage.records.document import dump

from .conftest import installation

LOOSE = {"demo": {"personalization": "allow", "tracking": "allow"}, "default": {}}
MORE = {"demo": {"personalization": "allow", "tracking": "allow", "profiling": "allow"}, "default": {}}


def settings(consent: Mapping[str, Any]) -> dict[str, Any]:
    return {"installation": dump(installation(consent_default=consent))}


def toggled(share: float) -> dict[str, Any]:
    return {"toggle": {"key": "new", "enabled": True, "rules": [{"key": "r", "value": True, "coverage": share}]}}


PAYLOADS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("policy.rollout", "home", {"version": 2, "percent": 50.0}),
    ("policy.rollout", "home", {"version": 2, "percent": 100.0}),
    ("policy.rollout", "home", {"version": 3, "percent": 10.0}),
    ("policy.rollout", "home", {"version": 3, "percent": 5.0}),
    ("toggle.edit", "new", toggled(0.05)),
    ("toggle.edit", "new", toggled(0.3)),
    ("toggle.edit", "new", toggled(0.9)),
    ("settings.edit", "installation", settings(LOOSE)),
    ("settings.edit", "installation", settings(MORE)),
)
"""What is proposed: of each kind some that is narrow, broad, or cannot be undone."""
NEEDED = {"safe": 0, "D0": 0, "D1": 0, "D2": 1, "D3": 2}


@dataclass
class Seen:
    """What the model knows of one change: who wrote it as it stands, on what, who agreed to just that, and when."""

    kind: str
    key: str
    payload: dict[str, Any]
    author: str
    written_on: Any
    agreed: dict[str, int] = field(default_factory=dict)
    at: int | None = None


@dataclass
class World:
    """What is in force, as the model knows it from what took effect."""

    stable: int = 1
    rollout: tuple[int, float] | None = None
    share: float = 0.0
    consent: Mapping[str, Any] = field(default_factory=lambda: installation().consent_default)

    def state(self, key: str) -> Any:
        """Return the state of one object."""
        return {"home": (self.stable, self.rollout), "new": self.share, "installation": self.consent}[key]

    def danger(self, kind: str, payload: Mapping[str, Any]) -> str:
        """Say how dangerous something would be now, by the table of danger levels alone."""
        if kind == "policy.rollout":
            version, percent = payload["version"], payload["percent"]
            now = self.rollout[1] if self.rollout and self.rollout[0] == version else 0.0
            if self.stable == version:
                now = 100.0
            elif now and percent <= now:
                return "safe"
            return "D1" if now and percent - now <= 10.0 and percent <= 50.0 else "D2"
        if kind == "toggle.edit":
            share = payload["toggle"]["rules"][0]["coverage"]
            rise = share - self.share
            return "D2" if rise > 0.1 + 1e-9 or (rise > 1e-9 and share > 0.5) else "D1"
        wanted = payload["installation"]["consent_default"]["demo"]
        return "D2" if wanted.keys() <= self.consent["demo"].keys() else "D3"

    def take(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Let something take effect."""
        if kind == "policy.rollout":
            whole = payload["percent"] == 100.0
            self.rollout = None if whole else (payload["version"], payload["percent"])
            self.stable = payload["version"] if whole else self.stable
        elif kind == "toggle.edit":
            self.share = payload["toggle"]["rules"][0]["coverage"]
        else:
            self.consent = payload["installation"]["consent_default"]
