"""What an author must mend before a frequency cap may be saved, and how two caps compare."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from governance.rule_validity import Keys, zone_known
from scoring_core.cap_windows import UNIT_S
from storage.errors import Problem
from storage.records.caps import Cap
from storage.records.policies import Installation

TAKEN = frozenset({"effect", "exposures", "validate"})
"""Keys that would stand in the way of routes."""


def cap_problems(
    cap: Cap,
    installation: Installation,
    *,
    keys: Keys,
    surface: str | None = None,
    campaigns: Collection[str] | None = None,
) -> Iterator[Problem]:
    """Yield what is wrong with a cap; ``surface`` is that of the policy it stands in, ``campaigns`` are those that it
    may name (None: not looked at)."""
    yield from keys(cap.key, "key")
    if cap.key in TAKEN:
        yield Problem(field="key", message="is the name of a page about all caps; choose another")
    if cap.per == "attribute" and not cap.attribute:
        yield Problem(field="attribute", message="say which attribute of items is counted, such as brand")
    if cap.per != "attribute" and cap.attribute:
        yield Problem(field="attribute", message=f"counts only with per = attribute; this cap counts per {cap.per}")
    if not zone_known(cap.zone):
        yield Problem(field="zone", message="must be a time zone of the IANA data base, like Europe/Berlin")
    elif cap.zone != "UTC" and cap.window == "rolling":
        yield Problem(field="zone", message="a rolling window knows no zone; choose window = calendar, or leave it out")
    if cap.window == "calendar" and cap.unit == "lifetime":
        yield Problem(field="window", message="a lifetime has no calendar; choose window = rolling, or another unit")
    for place, name in enumerate(cap.surfaces):
        if name not in installation.surfaces:
            message = "no such surface is declared in the installation's settings"
            yield Problem(field=f"surfaces.{place}", message=message)
        elif surface is not None and name != surface:
            yield Problem(field=f"surfaces.{place}", message="is not the surface of this policy; leave surfaces out")
    for place, name in enumerate(cap.campaigns):
        if campaigns is not None and name not in campaigns:
            yield Problem(field=f"campaigns.{place}", message="no such campaign")


def loosens(before: Cap, after: Cap) -> bool:
    """Tell whether someone could see more of something under ``after``.

    >>> three = Cap(key="a", limit=3)
    >>> loosens(three, Cap(key="a", limit=2)), loosens(three, Cap(key="a", limit=4)), loosens(three, three)
    (False, True, False)
    """
    return not covers(after, before)


def covers(one: Cap, other: Cap) -> bool:
    """Tell whether ``one`` holds back whatever ``other`` does: it counts the same or everything, wherever ``other``
    holds, as long or longer, and allows no more. Windows of two kinds, or calendars of two zones, do not compare."""
    same = (one.per, one.attribute) == (other.per, other.attribute) or one.per == "any"
    alike = same and (one.window, one.zone) == (other.window, other.zone)
    units = one.unit == other.unit or one.window == "rolling"
    wide = all(
        not mine or (theirs and set(theirs) <= set(mine))
        for mine, theirs in ((one.surfaces, other.surfaces), (one.campaigns, other.campaigns))
    )
    return alike and units and wide and one.limit <= other.limit and _length_s(one) >= _length_s(other)


def behind(caps: Mapping[str, Cap]) -> dict[str, str]:
    """Return by name the caps that never hold anything back, since another one always did before: the strictest wins.

    >>> behind({"a": Cap(key="a", limit=3), "b": Cap(key="b", limit=2, unit="week")})
    {'a': 'b'}
    """
    found = {}
    for name, cap in caps.items():
        for other, stricter in caps.items():
            first = not covers(cap, stricter) or other < name
            if other != name and first and covers(stricter, cap):
                found[name] = other
                break
    return found


def sentence(cap: Cap) -> str:
    """Say in words what a cap allows.

    >>> sentence(Cap(key="a", limit=3, unit="day", count=7, per="attribute", attribute="brand"))
    'each brand at most 3 times within 7 days'
    """
    what = {"item": "each item", "campaign": "each campaign", "attribute": f"each {cap.attribute}", "any": "anything"}
    if cap.limit == 0:
        return f"{what[cap.per]} never"
    times = "once" if cap.limit == 1 else f"{cap.limit} times"
    if cap.unit == "lifetime":
        return f"{what[cap.per]} at most {times}, ever"
    if cap.window == "calendar":
        periods = f"a calendar {cap.unit}" if cap.count == 1 else f"{cap.count} calendar {cap.unit}s"
        return f"{what[cap.per]} at most {times} in {periods} of {cap.zone}"
    one = "an hour" if cap.unit == "hour" else f"a {cap.unit}"
    return f"{what[cap.per]} at most {times} within {one if cap.count == 1 else f'{cap.count} {cap.unit}s'}"


def narrowed(cap: Cap, *, surface: str | None = None, campaign: str | None = None) -> Cap:
    """Return a cap of a policy or a campaign as one of the installation's that holds there alone."""
    surfaces = cap.surfaces or ((surface,) if surface is not None else ())
    return replace(cap, surfaces=surfaces, campaigns=(campaign,) if campaign is not None else cap.campaigns)


def _length_s(cap: Cap) -> int:
    return UNIT_S[cap.unit] * (1 if cap.unit == "lifetime" else cap.count)
