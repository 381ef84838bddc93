"""Drift as pages read it: what is normal on a surface, what its windows showed, what was accepted."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from storage import drift, policies, revisions
from storage.database import Read
from storage.records.drift import FAMILIES, Acceptance, Look, Reference

LOOKS = 30
ORIGINS = ("live", "simulated")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """The state of one surface. ``looks`` are by family and origin, the newest first; ``accepted`` hold now;
    ``changed`` maps the policy version in service to when it was made."""

    surface: str
    reference: Reference | None = None
    looks: Mapping[tuple[str, str], tuple[Look, ...]] = field(default_factory=dict)
    accepted: Mapping[str, Acceptance] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)


def surfaces(read: Read) -> tuple[str, ...]:
    """Return the surfaces that are declared."""
    snapshot = revisions.load(read)
    return tuple(sorted(snapshot.installation.surfaces)) if snapshot else ()


def watch(read: Read, *, surface: str, now: int) -> Watch:
    """Return how a surface stands."""
    reference = drift.reference(read, surface)
    found = {
        (family, origin): tuple(drift.looks(read, surface, family=family, origin=origin, limit=LOOKS))
        for family in FAMILIES
        for origin in ORIGINS
    }
    version = reference.version if reference else None
    changed = {
        f"{head.key} v{row.version}": row.created_at
        for head in policies.heads(read)
        if head.surface == surface
        for row in policies.versions(read, head.key)
        if row.version == head.stable
    }
    return Watch(
        surface=surface,
        reference=reference,
        looks={key: looks for key, looks in found.items() if looks},
        accepted=drift.in_force(drift.accepted(read, surface), reference=version, now=now // 60_000_000 * 60_000_000),
        changed=changed,
    )


def since(looks: tuple[Look, ...], feature: str) -> int | None:
    """Return when the red of a feature began that lasts until the newest look, None where it is not red."""
    began = None
    for look in looks:
        if not any(row["feature"] == feature and row["red"] for row in look.features):
            break
        began = look.start
    return began


def course(looks: tuple[Look, ...], feature: str) -> list[float]:
    """Return a feature's effects over the windows, the oldest first."""
    rows = (row for look in reversed(looks) for row in look.features if row["feature"] == feature)
    return [float(row["effect"]) for row in rows]
