"""Toggles in the database."""

from dataclasses import dataclass

from storage.edited import Edited
from storage.records.toggles import Toggle
from storage.tables.toggles import ToggleRow


@dataclass(frozen=True, slots=True)
class StoredToggle:
    """A toggle with the tag of its present state, and what it was before its last edit."""

    toggle: Toggle
    etag: str
    updated_at: int
    previous: Toggle | None = None


_kept = Edited(ToggleRow, Toggle, StoredToggle)
listed, find, save, remove = _kept.listed, _kept.find, _kept.save, _kept.remove
