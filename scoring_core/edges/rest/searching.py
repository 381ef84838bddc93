"""What was searched for: checked before a decision; facets, and what became of a caller's whole list, after it."""

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scoring_core.candidates import caller
from scoring_core.candidates.sources import asked_for, showable
from scoring_core.conditions import check
from scoring_core.edges.rest.bodies import DecisionBody
from scoring_core.edges.rest.problems import Refused
from scoring_core.live import Live, Request, Shelf
from storage.errors import Problem
from storage.records.decisions import Decision
from storage.records.document import canonical

MOST_LEAVES = 50
UNCOUNTED = frozenset({"item_id", "title"})
"""Nearly every item has its own: nothing to count."""


def check_search(asked: DecisionBody) -> None:
    """See that filters are a condition over items and facets can be counted.

    Raises
    ------
    Refused
        422, naming the field.
    """
    if asked.filters:
        try:
            canonical(asked.filters)
        except TypeError:
            _refuse("filters", "must hold text, truth values and numbers within 64 bits")
        problems = list(check(asked.filters))
        names = list(_names(asked.filters))
        if len(names) > MOST_LEAVES:
            problems.append(Problem(field="", message=f"must have at most {MOST_LEAVES} parts"))
        if any("egex" in name for name in names):
            problems.append(Problem(field="", message="patterns are for policies; use $eq, $in or the query"))
        if problems:
            _refuse("filters" + (f".{problems[0].field}" if problems[0].field else ""), problems[0].message)
    for name in asked.facets:
        if name in UNCOUNTED:
            _refuse("facets", "item_id and title are not counted; name an attribute, tags or kind")


def _names(condition: Any) -> Iterator[str]:
    if isinstance(condition, Mapping):
        for name, operand in condition.items():
            yield name
            yield from _names(operand)
    elif isinstance(condition, list):
        for each in condition:
            yield from _names(each)


def _refuse(field: str, message: str) -> None:
    raise Refused(422, f"{field}: {message}", problems=[Problem(field=field, message=message)])


async def prepare(request: Request, live: Live) -> None:
    """Rank the query on a thread, where a decision would have to wait for it: the loop goes on meanwhile."""
    if request.query is not None and request.candidates is None and not live.shelf.texts.known(request.query):
        await asyncio.to_thread(live.shelf.texts.find, request.query, live.shelf.servable, 1)


def facets(names: tuple[str, ...], request: Request, record: Decision, live: Live) -> dict[str, list[dict[str, Any]]]:
    """Return how many of the items that could be shown for this request have each value, most first: of the caller's
    list, else of what the query finds, else of all."""
    shelf = live.shelf
    among = showable(shelf, (*asked_for(request, live.plan, shelf), _policy_filter(record, live)), record.at)
    if request.candidates is not None:
        among &= _only(caller.named(request.candidates, shelf), shelf)
    elif request.query is not None:
        among &= _only(shelf.texts.find(request.query, among, len(among)), shelf)
    return {
        name: [{"value": value, "count": count} for value, count in shelf.columns.facets(name, among)] for name in names
    }


def rest_of(candidates: tuple[str, ...], record: Decision, shelf: Shelf) -> list[dict[str, str]]:
    """Return what is left of the caller's list, in its order, each once with the reason: with the items served, that is
    the whole list."""
    served = set(record.items)
    left = [item for item in dict.fromkeys(candidates) if item not in served]
    return [{"item": item, "reason": _why(item, record, shelf)} for item in left]


def _why(item_id: str, record: Decision, shelf: Shelf) -> str:
    ordinal = shelf.ordinals.get(item_id)
    if ordinal is None:
        return "unknown"
    item = shelf.catalogue.items[ordinal]
    if item.hidden:
        return "hidden"
    if item.stock is not None and item.stock <= 0:
        return "sold_out"
    if item.expires_at is not None and item.expires_at <= record.at:
        return "expired"
    return "not_chosen"


def _only(ordinals: NDArray[np.int64], shelf: Shelf) -> NDArray[np.bool_]:
    flags = np.zeros(len(shelf.servable), dtype=np.bool_)
    flags[ordinals] = True
    return flags


def _policy_filter(record: Decision, live: Live) -> NDArray[np.bool_] | None:
    place = live.plan.surfaces.get(record.surface)
    versions = (place.stable, place.rolling) if place is not None else ()
    return next((each.filters for each in versions if each is not None and each.version == record.version), None)
