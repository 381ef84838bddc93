"""Which parts of what is known of a person a plan reads: what nothing reads no decision sees and no record keeps."""

from collections.abc import Iterable

from scoring_core.features.profile import PARTS
from scoring_core.plan import PlannedPolicy
from scoring_core.reasons import TOLD_OF
from storage.records.policies import Installation

EVERYTHING = frozenset(PARTS)


def parts_read(policies: Iterable[PlannedPolicy], installation: Installation) -> frozenset[str]:
    """Return the parts of ``UserState`` beyond the vector that policies read, by their features, sources, filters and
    the reasons that they give. Whoever asks a retriever reads everything: people are placed by all that is known."""
    found: frozenset[str] = frozenset()
    for planned in policies:
        policy = planned.policy
        surface = installation.surfaces.get(policy.surface)
        templates = {*policy.reasons, *(surface.reasons if surface is not None else ())}
        found = found.union(
            EVERYTHING if planned.retrievers else (),
            planned.table.reads if planned.table is not None else (),
            ("recent",) if policy.seen or any(source.name == "vectors" for source in policy.sources) else (),
            ("attributes",) if policy.match or any(source.name == "trending" for source in policy.sources) else (),
            *(parts for code, parts in TOLD_OF.items() if code in templates),
        )
    return found
