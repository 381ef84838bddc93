"""What each source of candidates brings, and how much of it is shown."""

from dataclasses import dataclass

from storage import series
from storage.database import Read
from storage.records.clock import DAY

CANDIDATES = "fairlead_candidates_total"


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """Candidates that a source was the first to bring over a day, those of them shown, and its share of all shown;
    None where nothing was shown."""

    source: str
    brought: int
    shown: int
    share: float | None


def sources(read: Read, *, now: int) -> tuple[Brought, ...]:
    """Return every source of the last day, the one shown most first."""
    found: dict[str, dict[str, float]] = {}
    for step in series.total(read, CANDIDATES, start=now - DAY, end=now, by=("source", "step")):
        if step.value is not None:
            found.setdefault(step.labels["source"], {})[step.labels["step"]] = step.value
    whole = sum(each.get("shown", 0.0) for each in found.values())
    rows = [
        Brought(
            source=source,
            brought=round(each.get("brought", 0.0)),
            shown=round(each.get("shown", 0.0)),
            share=each.get("shown", 0.0) / whole if whole else None,
        )
        for source, each in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.shown, -row.brought, row.source)))
