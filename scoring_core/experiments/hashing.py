"""Buckets: which share of people someone falls into, by GrowthBook's hashing."""

from collections.abc import Sequence

FNV_OFFSET = 0x811C9DC5
FNV_PRIME = 0x01000193
MASK = 0xFFFFFFFF

Range = tuple[float, float]


def fnv1a32(text: str) -> int:
    """Return the 32-bit FNV-1a hash of the text's UTF-8 bytes.

    References
    ----------
    Fowler, Noll, Vo: http://www.isthe.com/chongo/tech/comp/fnv/

    Examples
    --------
    >>> hex(fnv1a32("a"))
    '0xe40c292c'
    """
    value = FNV_OFFSET
    for byte in text.encode():
        value = ((value ^ byte) * FNV_PRIME) & MASK
    return value


def bucket(seed: str, value: str, version: int = 2) -> float | None:
    """Return the bucket of ``value`` in [0, 1): v1 in thousandths, v2 in ten-thousandths; None for another version.

    v1 is biased across parallel tests; it is here for those who come with v1 buckets.

    >>> bucket("", "a", 1), bucket("", "a", 2), bucket("abc", "def", 99)
    (0.22, 0.0216, None)
    """
    if version == 2:
        return fnv1a32(str(fnv1a32(seed + value))) % 10_000 / 10_000
    if version == 1:
        return fnv1a32(value + seed) % 1_000 / 1_000
    return None


def in_range(point: float, bounds: Range) -> bool:
    """Tell whether ``point`` lies in [low, high).

    >>> in_range(0.0, (0.0, 0.0)), in_range(0.0, (0.0, 0.1))
    (False, True)
    """
    return bounds[0] <= point < bounds[1]


def equal_weights(count: int) -> list[float]:
    """Return ``count`` weights that sum to one; none for a count below one.

    >>> equal_weights(4)
    [0.25, 0.25, 0.25, 0.25]
    """
    return [1 / count] * count if count > 0 else []


def bucket_ranges(count: int, coverage: float = 1.0, weights: Sequence[float] | None = None) -> list[Range]:
    """Return one range per variation: its weight's share of [0, 1), of which ``coverage`` is used from the left.

    Coverage is clamped to [0, 1]; weights of another length, or that do not sum to one within 1 %, count as equal.

    >>> bucket_ranges(2, 0.5)
    [(0.0, 0.25), (0.5, 0.75)]
    """
    coverage = min(max(coverage, 0.0), 1.0)
    shares = list(weights) if weights is not None else equal_weights(count)
    if len(shares) != count or not 0.99 <= sum(shares) <= 1.01:
        shares = equal_weights(count)
    start, ranges = 0.0, []
    for share in shares:
        ranges.append((start, start + coverage * share))
        start += share
    return ranges


def choose_variation(point: float, ranges: Sequence[Range]) -> int:
    """Return the number of the first range that holds ``point``, or -1.

    >>> choose_variation(0.6, [(0.0, 0.5), (0.5, 1.0)])
    1
    """
    return next((number for number, bounds in enumerate(ranges) if in_range(point, bounds)), -1)


def in_namespace(value: str, namespace: str, bounds: Range) -> bool:
    """Tell whether ``value`` falls into a namespace's range; namespaces hash by v1, as GrowthBook's do."""
    return in_range(fnv1a32(f"{value}__{namespace}") % 1_000 / 1_000, bounds)
