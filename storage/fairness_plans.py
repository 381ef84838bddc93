"""The plans of fairness audits in the database."""

from dataclasses import dataclass

from storage.edited import Edited
from storage.records.fairness import FairnessPlan
from storage.tables.fairness import FairnessPlanRow


@dataclass(frozen=True, slots=True)
class StoredPlan:
    """A plan with the tag of its present state, and what it was before its last edit."""

    plan: FairnessPlan
    etag: str
    updated_at: int
    previous: FairnessPlan | None = None


_kept = Edited(FairnessPlanRow, FairnessPlan, StoredPlan)
listed, find, save, remove = _kept.listed, _kept.find, _kept.save, _kept.remove
