"""The steps by which a packed state changes and is read; every hot store computes exactly these.

With t the later of the state's and a signal's instant, h the state's and g the signal's half-life, the new vector is
v·2^(−(t−t_v)/h) + w·2^(−(t−t_s)/g)·x: exponential decay, and a signal that comes late counts as if it had come in time.
The new h is the mean of h and g, weighted by the lengths of the two addends: one exponential in the place of a sum of
exponentials. Computed in float64, rounded to half precision once per signal.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, chain, pairwise
from typing import Any

import msgspec
import numpy as np

from storage.hot import kernel
from storage.hot.packed import COUNTS, DIMENSIONS, VECTOR_END
from storage.hot.protocol import Signal
from storage.records.events import Scalar
from storage.records.subjects import INTEREST_DTYPE, RECENT_DTYPE, TOKEN_DTYPE, Statement, UserState

VECTOR_BYTES = 4 * DIMENSIONS
LARGEST_COUNT = float(1 << 24)
HALVES = np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)
"""Every half-precision number by its bits."""

_SEEN_AT = VECTOR_BYTES + 4 * COUNTS
_TOKEN = TOKEN_DTYPE.itemsize
_encode = msgspec.msgpack.Encoder(order="deterministic").encode
_decode = msgspec.msgpack.decode


def check(signals: Iterable[Signal]) -> None:
    """Refuse what could not be learned by any store.

    Raises
    ------
    ValueError
        If a vector is not ``USER_DIMENSIONS`` float32 long, a weight or an amount is not finite, a half-life not above
        zero, or a number out of its range.
    """
    for signal in signals:
        if len(signal.vector) != VECTOR_BYTES or len(signal.tokens) % _TOKEN:
            raise ValueError(f"a signal's vector has {VECTOR_BYTES} bytes, its tokens {_TOKEN} each")
        if not (-math.inf < signal.weight < math.inf and 0.0 < signal.half_life_s < math.inf):
            raise ValueError("a signal's weight is finite and its half-life above zero")
        for place, amount in signal.adds:
            if not (0 <= place < COUNTS and 0.0 <= amount <= LARGEST_COUNT):
                raise ValueError("a signal adds to known counters, between 0 and 2^24 each")
        if not (0 <= signal.at < 1 << 62 and 0 <= signal.roles < 16):
            raise ValueError("a signal's instant and roles are in range")


def learned(before: Sequence[bytes], groups: Sequence[Sequence[Signal]]) -> list[bytes]:
    """Return the state of each subject after its signals, in order; ``before`` is empty for nobody's state."""
    signals = list(chain.from_iterable(groups))
    rows = np.frombuffer(b"".join([signal.tokens for signal in signals]), TOKEN_DTYPE)
    adds = list(chain.from_iterable([signal.adds for signal in signals]))
    made, ends = kernel.learn(
        np.frombuffer(b"".join(before), np.uint8),
        _starts([len(each) for each in before]),
        _starts([len(each) for each in groups]),
        np.array([signal.at for signal in signals], dtype=np.int64),
        np.array([(signal.weight, signal.half_life_s) for signal in signals], dtype=np.float64),
        np.array([_marks(signal) for signal in signals], dtype=np.int64),
        np.frombuffer(b"".join([signal.vector for signal in signals]), "<f4").reshape(-1, DIMENSIONS),
        np.ascontiguousarray(rows["token"]),
        np.ascontiguousarray(rows["weight"]),
        _starts([len(signal.tokens) // _TOKEN for signal in signals]),
        np.array([place for place, _ in adds], dtype=np.uint32),
        np.array([amount for _, amount in adds], dtype=np.float32),
        _starts([len(signal.adds) for signal in signals]),
        HALVES,
    )
    whole, places = made.tobytes(), ends.tolist()
    return [whole[start:end] for start, end in pairwise(places)]


def stated(before: bytes, statement: Statement) -> bytes:
    """Return the state in which exactly ``statement`` is stated; the same bytes if it holds that or a newer one."""
    number, _ = _tail(before)
    if number >= statement.number and before:
        return before
    interests = statement.interests
    made = kernel.restate(
        np.frombuffer(before, np.uint8),
        statement.at,
        np.array([each.token for each in interests], dtype=np.uint32),
        np.array([each.value for each in interests], dtype=np.float64),
        np.array([each.at for each in interests], dtype=np.int64),
        np.array([each.source for each in interests], dtype=np.int64),
        HALVES,
    )
    return bytes(made.tobytes()) + _encode((statement.number, dict(statement.attributes)))


def relearned(signals: Sequence[Signal], statement: Statement | None) -> bytes:
    """Return the state of a person who did and stated this, each in its time; empty for nothing. Raises ``ValueError``
    as ``check`` does."""
    check(signals)
    if statement is None:
        return learned([b""], [signals])[0] if signals else b""
    before = [signal for signal in signals if signal.at < statement.at]
    after = [signal for signal in signals if signal.at >= statement.at]
    packed = stated(learned([b""], [before])[0] if before else b"", statement)
    return learned([packed], [after])[0] if after else packed


def merged(anonymous: bytes, account: bytes) -> bytes:
    """Return the state of an account that an anonymous visitor turned out to be; either may be empty."""
    if not anonymous or not account:
        return account or anonymous
    made = kernel.merge(np.frombuffer(anonymous, np.uint8), np.frombuffer(account, np.uint8), HALVES)
    (_, visitor), (number, known) = _tail(anonymous), _tail(account)
    attributes = {**visitor, **known}
    return bytes(made.tobytes()) + (_encode((number, attributes)) if attributes or number else b"")


def viewed(packed: bytes) -> UserState:
    """Return a packed state as decisions read it."""
    made, numbers, half_life_s = kernel.view(np.frombuffer(packed, np.uint8), HALVES)
    updated_at, first, events, level, seen, liked, tail = numbers.tolist()
    whole = made.tobytes()
    recent_end = _SEEN_AT + seen * RECENT_DTYPE.itemsize
    attributes = _decode(packed[tail:])[1] if tail < len(packed) else {}
    if level:
        attributes = {**attributes, "login_level": level - 1}
    return UserState(
        vector=whole[:VECTOR_BYTES],
        updated_at=updated_at,
        events=events,
        counts=whole[VECTOR_BYTES:_SEEN_AT],
        recent=whole[_SEEN_AT:recent_end],
        interests=whole[recent_end : recent_end + liked * INTEREST_DTYPE.itemsize],
        first_at=first * 1_000_000,
        attributes=attributes,
        half_life_s=half_life_s,
    )


def active_at(packed: bytes) -> int:
    """Return when a person was last active, microseconds."""
    return int.from_bytes(packed[2:10], "little")


def _marks(signal: Signal) -> tuple[int, int, int, int]:
    level = 0 if signal.level is None else signal.level + 1
    return signal.session, level, 0 if signal.item is None else signal.item + 1, signal.roles


def _starts(lengths: Sequence[int]) -> Any:
    return np.array([0, *accumulate(lengths)], dtype=np.int64)


def _tail(packed: bytes) -> tuple[int, Mapping[str, Scalar]]:
    """Return the number of the statement that a state holds, and its attributes."""
    if len(packed) <= VECTOR_END:
        return 0, {}
    _, numbers, _ = kernel.view(np.frombuffer(packed, np.uint8), HALVES)
    tail = int(numbers[-1])
    return tuple(_decode(packed[tail:])) if tail < len(packed) else (0, {})
