"""Objectives in the database; those that nobody wrote are the house's own."""

from dataclasses import dataclass

from storage.edited import Edited
from storage.records.alerts import Slo
from storage.tables.alerts import SloRow


@dataclass(frozen=True, slots=True)
class StoredSlo:
    """An objective with the tag of its present state, and what it was before its last edit."""

    slo: Slo
    etag: str
    updated_at: int
    previous: Slo | None = None


_kept = Edited(SloRow, Slo, StoredSlo)
listed, find, save, remove = _kept.listed, _kept.find, _kept.save, _kept.remove
