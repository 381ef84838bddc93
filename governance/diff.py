"""What differs between two documents, field by field and in plain language."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from storage.records.document import dump

_ABSENT = object()

_WHOLE = frozenset({"filters", "when", "items", "item_filter", "eligibility", "segment"})
"""Conditions, compared as one value each."""

NAMES: Mapping[str, str] = {
    "scorer.name": "The scorer",
    "scorer.parameters.model": "The model",
    "confidence.threshold": "The confidence below which the fallback serves",
    "confidence.when_uncalibrated": "Who serves while no confidence can be given",
    "fallback": "The fallback ladder",
    "filters": "The filter on candidates",
    "exploration.epsilon": "The share of slots given to exploration",
    "join_window_s": "The time in which an outcome counts, in seconds,",
    "assume_impression": "Whether a decision counts as an impression",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDiff:
    """One field that differs; None stands for absent."""

    path: str
    before: Any
    after: Any
    sentence: str


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    name = path.rpartition(".")[2]
    if isinstance(value, Mapping) and name not in _WHOLE:
        for key in value:
            yield from _leaves(value[key], f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        for place, one in enumerate(value):
            yield from _leaves(one, f"{path}[{one.get('key') or one.get('name') or place}]")
    else:
        yield path, value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _sentence(path: str, before: Any, after: Any) -> str:
    name = NAMES.get(path, path)
    if before is _ABSENT:
        return f"{name} is new: {_text(after)}"
    if after is _ABSENT:
        return f"{name} is gone (it was {_text(before)})"
    return f"{name} goes from {_text(before)} to {_text(after)}"


def diff(before: Any, after: Any) -> tuple[FieldDiff, ...]:
    """Compare two documents, or plain mappings; ``before`` may be None.

    >>> diff({"exploration": {"epsilon": 0.05}}, {"exploration": {"epsilon": 0.1}})[0].sentence
    'The share of slots given to exploration goes from 0.05 to 0.1'
    """
    sides = [
        dict(_leaves({} if side is None else side if isinstance(side, Mapping) else dump(side)))
        for side in (before, after)
    ]
    old, new = sides
    return tuple(
        FieldDiff(
            path=path,
            before=old.get(path),
            after=new.get(path),
            sentence=_sentence(path, old.get(path, _ABSENT), new.get(path, _ABSENT)),
        )
        for path in dict.fromkeys([*old, *new])
        if old.get(path, _ABSENT) != new.get(path, _ABSENT)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreeWay:
    """One field that somebody else changed since, that the author wants changed, or both; ``clash`` where the two
    disagree. None stands for absent."""

    path: str
    found: Any
    now: Any
    wanted: Any
    moved: bool
    clash: bool


def three_way(found: Any, now: Any, wanted: Any) -> tuple[ThreeWay, ...]:
    """Compare what an author found, what stands now, and what they want.

    >>> [(f.path, f.moved, f.clash) for f in three_way({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 3, "b": 2})]
    [('a', True, True), ('b', False, False)]
    """
    old, new, meant = (
        dict(_leaves({} if side is None else side if isinstance(side, Mapping) else dump(side)))
        for side in (found, now, wanted)
    )
    rows = []
    for path in dict.fromkeys([*old, *new, *meant]):
        was, stands, goes = (side.get(path, _ABSENT) for side in (old, new, meant))
        if was != stands or was != goes:
            moved, asked = was != stands, was != goes
            rows.append(
                ThreeWay(
                    path=path,
                    found=old.get(path),
                    now=new.get(path),
                    wanted=meant.get(path),
                    moved=moved,
                    clash=moved and asked and stands != goes,
                )
            )
    return tuple(rows)
