"""A table of packed values under 16-byte keys, with a few bytes of its own per value instead of a few hundred.

Values of one bucket lie one after the other in one bytes object, each behind its key and its length; buckets are split
one at a time as the table grows, so that no single step takes long.

References
----------
Litwin, Linear Hashing: A New Tool for File and Table Addressing, VLDB 1980.
"""

from collections.abc import Callable, Iterator
from hashlib import blake2b

_KEY = 16
_HEAD = _KEY + 2
_SAMPLE = 16


def key_of(subject: str) -> bytes:
    """Return the key of a subject: its pseudonym's bytes; of any other name, a hash.

    >>> key_of("00" * 16) == bytes(16) != key_of("s")
    True
    """
    if len(subject) == 2 * _KEY:
        try:
            return bytes.fromhex(subject)
        except ValueError:
            pass
    return blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=_KEY).digest()


class PackedTable:
    """Values of at most 65,535 bytes by 16-byte keys that are evenly spread, and that no value contains but by a chance
    of 2^-128: a key is found by searching its bucket.

    Parameters
    ----------
    per_bucket
        How many values share a bucket at most on average: more where they are small.
    """

    def __init__(self, *, per_bucket: int = 4) -> None:
        self._per_bucket = per_bucket
        self._buckets: list[bytes] = [b""]
        self._whole = 1
        """How many buckets there were when all of them were last split."""
        self._length = 0
        self._hand = 0

    def __len__(self) -> int:
        return self._length

    def get(self, key: bytes) -> bytes | None:
        """Return a key's value, or None."""
        bucket = self._buckets[self._place(key)]
        at = bucket.find(key)
        if at < 0:
            return None
        return bucket[at + _HEAD : at + _HEAD + bucket[at + _KEY] + (bucket[at + _KEY + 1] << 8)]

    def put(self, key: bytes, value: bytes) -> None:
        """Keep a value under a key."""
        place = self._place(key)
        bucket = self._buckets[place]
        at = bucket.find(key)
        if at >= 0:
            end = at + _HEAD + bucket[at + _KEY] + (bucket[at + _KEY + 1] << 8)
            self._buckets[place] = b"".join(
                (bucket[: at + _KEY], len(value).to_bytes(2, "little"), value, bucket[end:])
            )
            return
        self._buckets[place] = b"".join((bucket, key, len(value).to_bytes(2, "little"), value))
        self._length += 1
        if self._length > self._per_bucket * len(self._buckets):
            self._split()

    def pop(self, key: bytes) -> None:
        """Keep nothing under a key any more."""
        place = self._place(key)
        bucket = self._buckets[place]
        at = bucket.find(key)
        if at >= 0:
            end = at + _HEAD + bucket[at + _KEY] + (bucket[at + _KEY + 1] << 8)
            self._buckets[place] = bucket[:at] + bucket[end:]
            self._length -= 1

    def shrink(self, most: int, age: Callable[[bytes], int]) -> None:
        """Let go until at most ``most`` values are left: each time, of the next few, the one with the least ``age``."""
        while self._length > most:
            sample: list[tuple[int, bytes]] = []
            for _ in range(len(self._buckets)):
                self._hand = (self._hand + 1) % len(self._buckets)
                bucket = self._buckets[self._hand]
                sample += [(age(bucket[at + _HEAD : end]), bucket[at : at + _KEY]) for at, end in _entries(bucket)]
                if len(sample) >= _SAMPLE:
                    break
            self.pop(min(sample)[1])

    def _place(self, key: bytes) -> int:
        number = int.from_bytes(key[:8], "little")
        place = number & (self._whole - 1)
        return place if place >= len(self._buckets) - self._whole else number & (2 * self._whole - 1)

    def _split(self) -> None:
        source = len(self._buckets) - self._whole
        bucket, self._buckets[source] = self._buckets[source], b""
        self._buckets.append(b"")
        parts: dict[int, list[bytes]] = {}
        for at, end in _entries(bucket):
            parts.setdefault(self._place(bucket[at : at + _KEY]), []).append(bucket[at:end])
        for place, kept in parts.items():
            self._buckets[place] = b"".join(kept)
        if len(self._buckets) == 2 * self._whole:
            self._whole *= 2


def _entries(bucket: bytes) -> Iterator[tuple[int, int]]:
    """Return where each entry begins and ends."""
    at, length = 0, len(bucket)
    while at < length:
        end = at + _HEAD + bucket[at + _KEY] + (bucket[at + _KEY + 1] << 8)
        yield at, end
        at = end
