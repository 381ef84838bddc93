"""Every cap that holds somewhere, in words, and how often each held something back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from governance.cap_validity import behind, narrowed, sentence
from storage import campaigns, caps, policies, series
from storage.database import Read
from storage.records.caps import Cap

CHECKS = "fairlead_cap_checks_total"
OVERSERVES = "fairlead_cap_overserves_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class CapView:
    """A cap with where it stands: its name in metrics and records, what it says, and the stricter cap of the
    installation that makes it idle. Those inside policies and campaigns are changed with them, and have no tag."""

    name: str
    cap: Cap
    level: Literal["installation", "policy", "campaign"]
    owner: str = ""
    sentence: str = ""
    behind: str | None = None
    etag: str = ""
    updated_at: int = 0
    previous: Cap | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapEffect:
    """How many decisions a cap concerned, in how many it held something back, in how many nobody could count, and how
    many decided impressions went above it all the same."""

    name: str
    checked: int
    held_back: int
    uncounted: int
    overserved: int


def own(read: Read) -> list[CapView]:
    """Return the installation's caps, by key."""
    stored = caps.listed(read)
    idle = behind({each.cap.key: each.cap for each in stored})
    return [
        CapView(
            name=each.cap.key,
            cap=each.cap,
            level="installation",
            sentence=sentence(each.cap),
            behind=idle.get(each.cap.key),
            etag=each.etag,
            updated_at=each.updated_at,
            previous=each.previous,
        )
        for each in stored
    ]


def elsewhere(read: Read) -> list[CapView]:
    """Return the caps of policy versions in service and of campaigns that have not ended, by name."""
    own_caps = {each.cap.key: each.cap for each in caps.listed(read)}
    found = {view.name: view for view in _inside(read)}
    idle = behind(own_caps | {name: view.cap for name, view in found.items()})
    return [
        CapView(
            name=name,
            cap=view.cap,
            level=view.level,
            owner=view.owner,
            sentence=sentence(view.cap),
            behind=idle.get(name),
        )
        for name, view in sorted(found.items())
    ]


def _inside(read: Read) -> Iterator[CapView]:
    for head in policies.heads(read):
        for policy in policies.documents(read, head.key, head.in_service).values():
            for cap in policy.caps:
                narrow = narrowed(cap, surface=head.surface)
                yield CapView(name=f"policy/{head.key}/{cap.key}", cap=narrow, level="policy", owner=head.key)
    for stored in campaigns.listed(read):
        campaign = stored.campaign
        for cap in campaign.caps if campaign.status != "ended" else ():
            narrow = narrowed(cap, campaign=campaign.key)
            yield CapView(name=f"campaign/{campaign.key}/{cap.key}", cap=narrow, level="campaign", owner=campaign.key)


def effects(read: Read, *, start: int, end: int) -> list[CapEffect]:
    """Return what each cap did in a range, by name; a cap that concerned no decision is not there."""
    counted: dict[str, dict[str, float]] = {}
    for step in series.total(read, CHECKS, start=start, end=end, by=("cap", "result")):
        if step.value is not None:
            held = counted.setdefault(step.labels.get("cap", ""), {})
            held[step.labels.get("result", "")] = held.get(step.labels.get("result", ""), 0.0) + step.value
    over = {
        step.labels.get("cap", ""): step.value or 0.0
        for step in series.total(read, OVERSERVES, start=start, end=end, by=("cap",))
    }
    return [
        CapEffect(
            name=name,
            checked=int(sum(results.values())),
            held_back=int(results.get("capped", 0.0)),
            uncounted=int(results.get("degraded", 0.0)),
            overserved=int(over.get(name, 0.0)),
        )
        for name, results in sorted(counted.items())
        if sum(results.values())
    ]
