"""Control of the catalogue: its syncs are declared, changed and removed; items are put in by hand."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from governance.actions import Action, Ground, Nothing, Step, always, found, refuse, untagged
from storage import catalogue, syncs
from storage.database import Read, Write
from storage.errors import Conflict, Problem
from storage.records.access import Scope
from storage.records.document import digest, document, dump
from storage.records.items import Item, item_problems
from storage.records.syncs import CatalogueSync, sync_problems

NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
MOST_ITEMS = 1_000


@document
class NewSync:
    """A sync, whole."""

    sync: CatalogueSync


@document
class NewItems:
    """Items to add, or to replace whole where there is one of the same id."""

    items: Annotated[tuple[Item, ...], Field(min_length=1, max_length=MOST_ITEMS)]


def sync_etag(read: Read, name: str) -> str:
    """Return the tag of a sync; empty where there is none of this name."""
    sync = syncs.declared(read).get(name)
    return "" if sync is None else digest(sync)


def _create(write: Write, name: str, payload: NewSync, _ground: Ground) -> Step:
    refuse((*_name_problems(name), *_sync_problems(payload.sync)))
    if name in syncs.declared(write):
        raise Conflict("there is a sync of this name already")
    return _saved(write, name, None, payload.sync)


def _edit(write: Write, name: str, payload: NewSync, _ground: Ground) -> Step:
    before: CatalogueSync = found(syncs.declared(write).get(name), "sync")
    refuse(tuple(_sync_problems(payload.sync)))
    if before == payload.sync:
        raise Conflict("the sync is like this already")
    return _saved(write, name, before, payload.sync)


def _saved(write: Write, name: str, before: CatalogueSync | None, after: CatalogueSync) -> Step:
    syncs.declare(write, name, after)
    return Step(before=dump(before) if before else None, after=dump(after), etag=digest(after))


def _remove(write: Write, name: str, _payload: Nothing, _ground: Ground) -> Step:
    before = found(syncs.declared(write).get(name), "sync")
    syncs.declare(write, name, None)
    return Step(before=dump(before), after=None)


def _put(write: Write, _key: str, payload: NewItems, ground: Ground) -> Step:
    refuse(
        tuple(
            replace(problem, field=f"items.{place}.{problem.field}")
            for place, item in enumerate(payload.items)
            for problem in item_problems(item)
        )
    )
    report = catalogue.upsert(write, payload.items, now=ground.at)
    told = {name: getattr(report, name) for name in ("added", "changed", "unchanged", "version")}
    return Step(before=None, after={**told, "items": digest([dump(item) for item in payload.items])})


def _name_problems(name: str) -> Iterator[Problem]:
    if not NAME.fullmatch(name):
        said = "use 1 to 64 small letters, digits, dashes or underscores, a letter first"
        yield Problem(field="name", message=said)


def _sync_problems(sync: CatalogueSync) -> Iterator[Problem]:
    for problem in sync_problems(sync):
        yield replace(problem, field=f"sync.{problem.field}")


ACTIONS = (
    Action(
        kind="sync.create",
        object_kind="sync",
        scope=Scope.ADMIN,
        propose=Scope.ADMIN,
        payload=NewSync,
        level=always("D1"),
        perform=_create,
        etag=untagged,
        publishes=False,
    ),
    Action(
        kind="sync.edit",
        object_kind="sync",
        scope=Scope.ADMIN,
        propose=Scope.ADMIN,
        payload=NewSync,
        level=always("D1"),
        perform=_edit,
        etag=sync_etag,
        publishes=False,
        tagged=True,
    ),
    Action(
        kind="sync.remove",
        object_kind="sync",
        scope=Scope.ADMIN,
        propose=Scope.ADMIN,
        payload=Nothing,
        level=always("D1"),
        perform=_remove,
        etag=sync_etag,
        publishes=False,
    ),
    Action(
        kind="items.put",
        object_kind="items",
        scope=Scope.CAMPAIGN_WRITE,
        propose=Scope.CAMPAIGN_WRITE,
        payload=NewItems,
        level=always("D1"),
        perform=_put,
        etag=untagged,
        publishes=False,
    ),
)
