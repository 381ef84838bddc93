"""Why this for this person: what they looked at, what they said they like, what else moved it; only where it is so."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scoring_core.circumstances import TOUCHED
from scoring_core.explore import Slate
from scoring_core.features.table import Ordinals
from scoring_core.live import Shelf
from storage.records.clock import DAY
from storage.records.decisions import VECTOR_DTYPE
from storage.records.subjects import INTEREST_DTYPE, RECENT_DTYPE, TOKEN_DTYPE, UserState

LEAST_DROP = 0.05
"""By how much the cosine of a person's and an item's vector must fall without a looked-at item, to name it."""
NEW_FOR = 14 * DAY
"""How long an item is new."""

Codes = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """Which of these reasons a surface tells: whose templates name them; nothing of the attributes in ``secret``."""

    because: bool = False
    interest: bool = False
    secret: frozenset[str] = frozenset()


def risen(rows: Sequence[int], order: Ordinals, slots: int) -> frozenset[int]:
    """Return the rows that are shown although ``order`` would not have brought them into the slots."""
    return frozenset(rows) - frozenset(order[:slots].tolist())


def more(
    slate: Slate,
    shown: Ordinals,
    *,
    telling: Telling,
    user: UserState | None,
    shelf: Shelf,
    ranked: bool,
    sources: Sequence[str],
    capped: Collection[int],
    fair: Collection[int],
    now: int,
) -> list[Codes]:
    """Return what is to be said of each slot beside how its item came there.

    ``shown`` are the ordinals at the slots, ``sources`` the code of what brought each (empty: none worth a word),
    ``capped`` and ``fair`` the rows that caps and fair re-ranking brought up. An item that was explored or pinned is
    there by chance or by rule: nothing of the person is its reason.
    """
    own = personal(telling, user, shown, shelf=shelf, ranked=ranked)
    chosen = slate.explored | slate.pinned
    items = shelf.catalogue.items
    found: list[Codes] = []
    for slot, (row, ordinal) in enumerate(zip(slate.rows, shown.tolist(), strict=True)):
        created = items[ordinal].created_at
        found.append(
            (
                *((sources[slot],) if slot not in chosen and sources and sources[slot] else ()),
                *(own[slot] if slot not in chosen else ()),
                *(("new",) if created is not None and 0 <= now - created < NEW_FOR else ()),
                *(("fair",) if slot not in chosen and row in fair else ()),
                *(("cap",) if slot not in chosen and row in capped else ()),
            )
        )
    return found


def personal(telling: Telling, user: UserState | None, shown: Ordinals, *, shelf: Shelf, ranked: bool) -> list[Codes]:
    """Return the codes of each item shown. ``ranked`` tells whether the person's interests had a say in the order: what
    they looked at is a reason only then."""
    if user is None or not (telling.because or telling.interest):
        return [()] * len(shown)
    seen = _because(user, shown, shelf) if telling.because and ranked else [()] * len(shown)
    liked = _liked(user, shown, shelf, telling.secret) if telling.interest else [()] * len(shown)
    return [(*one, *other) for one, other in zip(seen, liked, strict=True)]


def drops(vector: NDArray[np.float64], seen: NDArray[np.float64], shown: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much the cosine of ``vector`` and each of ``shown`` (rows of length 1) would fall if ``vector`` had
    nothing in the direction of each of ``seen`` (likewise), shape (seen, shown): exact in the space of interests.

    With û = v/|v| and a = r·û, what is left is û − a·r, of length √(1 − a²). What points away from an item is no reason
    for it: a ≤ 0 drops nothing.
    """
    unit = vector / np.sqrt(vector.dot(vector))
    along = seen @ unit
    now = shown @ unit
    left = np.sqrt(np.maximum(1.0 - along * along, 1e-12))
    without = (now[None, :] - along[:, None] * (seen @ shown.T)) / left[:, None]
    fall: NDArray[np.float64] = np.where(along[:, None] > 0.0, now[None, :] - without, 0.0)
    return fall


def _because(user: UserState, shown: Ordinals, shelf: Shelf) -> list[Codes]:
    rows = np.frombuffer(user.recent, RECENT_DTYPE)
    seen = rows["item"][(rows["roles"] & TOUCHED) > 0].astype(np.int64)
    seen = seen[seen < len(shelf.vectors)]
    vector = np.frombuffer(user.vector, VECTOR_DTYPE).astype(np.float64)
    if not len(seen) or not len(shown) or not 0.0 < vector.dot(vector) < np.inf:
        return [()] * len(shown)
    fall = drops(vector, shelf.vectors[seen].astype(np.float64), shelf.vectors[shown].astype(np.float64))
    fall[seen[:, None] == shown[None, :]] = 0.0
    best = fall.argmax(axis=0)
    items = shelf.catalogue.items
    return [
        (f"because:{items[seen[row]].item_id}",) if fall[row, place] >= LEAST_DROP else ()
        for place, row in enumerate(best.tolist())
    ]


def _liked(user: UserState, shown: Ordinals, shelf: Shelf, secret: frozenset[str]) -> list[Codes]:
    rows = np.frombuffer(user.interests, INTEREST_DTYPE)
    stated = {int(token): float(score) for token, score in zip(rows["token"], rows["stated"], strict=True)}
    liked = {token: score for token, score in stated.items() if score > 0.0}
    names = shelf.tokens.names
    known: Sequence[bytes] = shelf.tokens.rows

    def best(ordinal: int) -> Codes:
        held = np.frombuffer(known[ordinal], TOKEN_DTYPE)["token"].tolist()
        found = [(-liked[token], names[token]) for token in held if token in liked]
        told = [name for _score, name in sorted(found) if name.partition("=")[0] not in secret]
        return (f"interest:{told[0]}",) if told else ()

    return [best(ordinal) for ordinal in shown.tolist()] if liked else [()] * len(shown)
