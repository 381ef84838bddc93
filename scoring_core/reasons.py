"""Why each item stands where it stands: codes in the record, sentences for people."""

from collections.abc import Mapping

from scoring_core.explore import Slate
from scoring_core.features.table import Ordinals
from scoring_core.live import Shelf
from storage.records.decisions import Decision
from storage.records.subjects import UserState

TEXTS: Mapping[str, str] = {
    "model": "Ranked for you",
    "popular": "Popular with many people",
    "best_variant": "What works best here",
    "caller": "In the order of the page",
    "default": "Shown to everyone",
    "explored": "Shown to learn whether you like it",
    "pinned": "Placed here by a rule",
    "rule": "Lifted or lowered by the rule {rule}",
}

Codes = tuple[tuple[str, ...], ...]


def codes(
    slate: Slate,
    *,
    base: str,
    touched: Mapping[int, tuple[str, ...]],
    ordinals: Ordinals,
    user: UserState | None,
    shelf: Shelf,
) -> Codes:
    """Return one tuple of codes per slot: how the item came to be there, then ``rule:KEY`` per rule that touched it."""
    if not touched and not slate.explored and not slate.pinned:
        return ((base,),) * len(slate.rows)
    return tuple(
        (
            "pinned" if slot in slate.pinned else "explored" if slot in slate.explored else base,
            *(f"rule:{key}" for key in touched.get(row, ())),
        )
        for slot, row in enumerate(slate.rows)
    )


def told(record: Decision, templates: Mapping[str, str]) -> Codes:
    """Return the record's reasons as sentences: the policy's template for a code, else the house's.

    A template may hold ``{rule}``; nothing else in it is replaced.
    """
    return tuple(tuple(_sentence(code, templates) for code in reasons) for reasons in record.reasons)


def _sentence(code: str, templates: Mapping[str, str]) -> str:
    kind, _, rule = code.partition(":")
    return templates.get(kind, TEXTS.get(kind, kind)).replace("{rule}", rule)
