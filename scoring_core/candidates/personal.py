"""Which items a policy withholds from one person: those seen already, those that do not fit."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates.protocol import Ordinals
from scoring_core.live import Shelf
from storage.records.clock import DAY, SECOND
from storage.records.events import Scalar
from storage.records.policies import Policy
from storage.records.subjects import RECENT_DTYPE, ROLES, UserState

NONE_SEEN: Ordinals = np.zeros(0, dtype=np.int64)
NONE_SEEN.flags.writeable = False


def seen(user: UserState | None, policy: Policy, now: int) -> Ordinals:
    """Return the ordinals that the person touched in a role of ``policy.seen`` within ``policy.seen_days``."""
    if user is None or not policy.seen or not user.recent:
        return NONE_SEEN
    recent = np.frombuffer(user.recent, dtype=RECENT_DTYPE)
    roles = sum(ROLES[role] for role in policy.seen)
    since = max(now - policy.seen_days * DAY, 0) // SECOND
    found: Ordinals = recent["item"][((recent["roles"] & roles) != 0) & (recent["at"] >= since)].astype(np.int64)
    return found


def fitting(
    user: UserState | None, policy: Policy, shelf: Shelf, ordinals: Ordinals | None = None
) -> NDArray[np.bool_] | None:
    """Return which items (those of ``ordinals``, else all) fit what the person stated, by ``policy.match``; None where
    nothing is asked. An item without the attribute fits, and a person who stated nothing is asked nothing."""
    if user is None:
        return None
    flags: NDArray[np.bool_] | None = None
    for name, stated in policy.match.items():
        wanted = _stated(user.attributes, stated)
        if not wanted:
            continue
        column = shelf.columns.column(name)
        if ordinals is None:
            fits = column.spread((value is None or spelled(value) in wanted for value in column.values), np.bool_)
        else:
            codes, values = column.codes[ordinals].tolist(), column.values
            fits = np.array([values[code] is None or spelled(values[code]) in wanted for code in codes], dtype=np.bool_)
        flags = fits if flags is None else flags & fits
    return flags


def spelled(value: Scalar) -> str:
    """Return a value as people state it: whole numbers without a fraction.

    >>> spelled(42.0), spelled("M"), spelled(True)
    ('42', 'M', 'true')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _stated(attributes: Mapping[str, Scalar], name: str) -> frozenset[str]:
    value = attributes.get(name)
    if value is None:
        return frozenset()
    return frozenset(value.split("|")) - {""} if isinstance(value, str) else frozenset({spelled(value)})
