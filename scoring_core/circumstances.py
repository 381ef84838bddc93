"""What conditions may ask: the request's context, the person, the session, the time, what enrichers said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scoring_core.features.segments import READS, segments
from scoring_core.live import Request, Shelf
from scoring_core.schedules import local
from storage.records.clock import DAY, SECOND
from storage.records.decisions import VECTOR_DTYPE
from storage.records.events import Scalar
from storage.records.subjects import COUNTERS, RECENT_DTYPE, ROLES, UserState

if TYPE_CHECKING:
    from scoring_core.plan import Plan

Circumstances = Mapping[str, Any]

RESERVED = frozenset({"user", "session", "time", "plugin"})
"""Names at top level that are not the context's."""
SESSION = ("sequence", "known")
TIME = ("hour", "weekday", "date")
COMPUTED: Mapping[str, frozenset[str]] = {
    "events": frozenset(),
    "age_days": frozenset({"first_at"}),
    "recency_days": frozenset({"recent"}),
    "recent": frozenset({"recent"}),
    "segments": READS,
}
"""What is worked out of a person, and which parts of the state that takes."""
TOUCHED = ROLES["interest"] | ROLES["commitment"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a plan's conditions ask beside the context: of the person the stated ``attributes``, the ``counters`` by
    place and what is ``computed``; and whether they ask the session, the time or the enrichers. ``reads`` names the
    parts of ``UserState`` that it takes."""

    attributes: tuple[str, ...] = ()
    counters: tuple[tuple[str, int], ...] = ()
    computed: frozenset[str] = frozenset()
    session: bool = False
    time: bool = False
    plugin: bool = False

    @property
    def person(self) -> bool:
        """Whether anything of the person is asked."""
        return bool(self.attributes or self.counters or self.computed)

    @property
    def reads(self) -> frozenset[str]:
        """The parts of ``UserState`` that it takes."""
        parts = frozenset().union(*(COMPUTED[name] for name in self.computed))
        return parts | ({"attributes"} if self.attributes else set()) | ({"counts"} if self.counters else set())


def asked(names: Iterable[str]) -> Asked:
    """Sort the names that conditions use.

    >>> asked(["mood", "user.clicks", "user.size", "time.hour"])
    Asked(attributes=('size',), counters=(('clicks', 2),), computed=frozenset(), session=False, time=True, plugin=False)
    """
    split = {(root, rest) for root, _, rest in (name.partition(".") for name in names)}
    person = sorted({_whole(rest) for root, rest in split if root == "user"})
    roots = {root for root, _ in split}
    return Asked(
        attributes=tuple(name for name in person if name not in COUNTERS and name not in COMPUTED),
        counters=tuple((name, COUNTERS.index(name)) for name in person if name in COUNTERS),
        computed=frozenset(name for name in person if name in COMPUTED),
        session="session" in roots,
        time="time" in roots,
        plugin="plugin" in roots,
    )


def _whole(name: str) -> str:
    """Return what has to be worked out for a name: the confidence of one segment comes with all segments."""
    return "segments" if name.startswith("segment.") else name


def circumstances(
    request: Request, user: UserState | None, plugins: Mapping[str, Scalar], now: int, *, plan: "Plan", shelf: Shelf
) -> Circumstances:
    """Return the circumstances of a decision: the context's names as they are, the rest under ``user``, ``session``,
    ``time`` (in the campaign's zone, else the installation's) and ``plugin``; only what the plan's conditions ask."""
    wanted = plan.asked
    found: dict[str, Any] = dict(request.context)
    if wanted.person:
        found["user"] = {} if user is None else _person(wanted, user, now, plan=plan, shelf=shelf)
    if wanted.session:
        found["session"] = {"sequence": request.sequence, "known": request.session is not None}
    if wanted.time:
        campaign = plan.campaigns.get(request.campaign) if request.campaign is not None else None
        found["time"] = local_time(now, plan.zone if campaign is None else campaign.campaign.zone)
    if wanted.plugin:
        found["plugin"] = _by_plugin(plugins)
    return found


def local_time(now: int, zone: str) -> dict[str, Any]:
    """Return the hour, the weekday (0 is Monday) and the date of an instant in a zone.

    >>> local_time(0, "Asia/Kolkata")
    {'hour': 5, 'weekday': 3, 'date': '1970-01-01'}
    """
    there = local(now, zone)
    return {"hour": there.hour, "weekday": there.weekday(), "date": there.date().isoformat()}


def _person(wanted: Asked, user: UserState, now: int, *, plan: "Plan", shelf: Shelf) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in wanted.attributes:
        value = user.attributes.get(name)
        if value is not None:
            found[name] = value.split("|") if isinstance(value, str) and "|" in value else value
    if wanted.counters and user.counts:
        counts = np.frombuffer(user.counts, VECTOR_DTYPE)
        found |= {name: float(counts[place]) for name, place in wanted.counters if place < len(counts)}
    if "segments" in wanted.computed:
        found["segment"] = segments(user, now, plan.segmentation)
        found["segments"] = list(found["segment"])
    for name in wanted.computed & _WORKED_OUT.keys():
        value = _WORKED_OUT[name](user, now, shelf)
        if value is not None:
            found[name] = value
    return found


def _age_days(user: UserState, now: int, _shelf: Shelf) -> float | None:
    return max(now - user.first_at, 0) / DAY if user.first_at else None


def _recency_days(user: UserState, now: int, _shelf: Shelf) -> float | None:
    rows = np.frombuffer(user.recent, RECENT_DTYPE)
    return max(now - int(rows["at"].max()) * SECOND, 0) / DAY if len(rows) else None


def _recent(user: UserState, _now: int, shelf: Shelf) -> list[str]:
    rows = np.frombuffer(user.recent, RECENT_DTYPE)
    items = shelf.catalogue.items
    touched = rows["item"][(rows["roles"] & TOUCHED) > 0].tolist()
    return [items[ordinal].item_id for ordinal in touched if ordinal < len(items)]


_WORKED_OUT = {
    "events": lambda user, _now, _shelf: user.events,
    "age_days": _age_days,
    "recency_days": _recency_days,
    "recent": _recent,
}


def _by_plugin(plugins: Mapping[str, Scalar]) -> dict[str, dict[str, Scalar]]:
    found: dict[str, dict[str, Scalar]] = {}
    for name, value in plugins.items():
        plugin, _, key = name.partition(".")
        found.setdefault(plugin, {})[key] = value
    return found
