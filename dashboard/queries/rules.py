"""What an author of rules may name, as pages read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from scoring_core.declared import declared
from storage import campaigns, revisions
from storage.database import Read
from storage.records.events import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The names that conditions may ask with their types, and what else a rule may name."""

    asked: Mapping[str, str] = field(default_factory=dict)
    surfaces: tuple[str, ...] = ()
    campaigns: tuple[str, ...] = ()
    app: Mapping[str, Scalar] = field(default_factory=dict)


def vocabulary(read: Read) -> Vocabulary:
    """Return what may be named now."""
    snapshot = revisions.load(read)
    if snapshot is None:
        return Vocabulary()
    names = declared(snapshot.installation)
    return Vocabulary(
        asked={name: names[name].type for name in sorted(names)},
        surfaces=tuple(sorted(snapshot.installation.surfaces)),
        campaigns=tuple(stored.campaign.key for stored in campaigns.listed(read)),
        app=dict(snapshot.installation.app),
    )
