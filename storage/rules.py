"""The installation's own rules in the database."""

from dataclasses import dataclass

from storage.edited import Edited
from storage.records.rules import Rule
from storage.tables.rules import RuleRow


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A rule with the tag of its present state, and what it was before its last edit."""

    rule: Rule
    etag: str
    updated_at: int
    previous: Rule | None = None


_kept = Edited(RuleRow, Rule, StoredRule)
listed, find, save, remove = _kept.listed, _kept.find, _kept.save, _kept.remove
