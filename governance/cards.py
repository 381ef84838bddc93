"""Cards are written by people, completed with facts, kept per version, and owed before a version leaves draft."""

from collections.abc import Callable, Mapping
from typing import Any

from governance.actions import Action, Ground, Step, always, found, untagged
from governance.card_facts import model_facts, policy_facts
from storage import cards
from storage.cards import StoredCard
from storage.database import Read, Write
from storage.errors import Problem, Stale
from storage.records.access import Scope
from storage.records.cards import Card, missing
from storage.records.document import document, dump

POLICY, MODEL = "policy", "model"


@document
class NewCard:
    """A card for one version of what is addressed; ``etag`` is that of the card that was read (None: not named)."""

    version: str
    card: Card
    etag: str | None = None


def facts(read: Read, object_kind: str, key: str, version: str) -> Mapping[str, Any]:
    """Return the facts of a version as they are now, or raise ``NotFound``."""
    if object_kind == POLICY:
        number = int(version) if version.isdecimal() and len(version) < 10 else 0
        told = policy_facts(read, key, number)
    else:
        told = model_facts(read, key, version)
    return found(told, f"{object_kind} version")  # type: ignore[no-any-return]  # what was given, or it raised


def shown(read: Read, object_kind: str, key: str, version: str) -> Mapping[str, Any]:
    """Return a version's card with its facts of now, and what is still to be written."""
    stored, now = cards.find(read, object_kind, key, version), facts(read, object_kind, key, version)
    return {
        "object_kind": object_kind,
        "object_key": key,
        "version": version,
        "card": stored.card if stored else None,
        "missing": missing(stored.card if stored else None),
        "written_by": stored.written_by if stored else None,
        "updated_at": stored.updated_at if stored else None,
        "etag": stored.etag if stored else "",
        "facts": now,
        "facts_then": stored.facts if stored else None,
    }


def unwritten(read: Read, key: str, version: int) -> tuple[Problem, ...]:
    """Return what keeps a policy version in draft: what its card does not say yet."""
    stored = cards.find(read, POLICY, key, str(version))
    lacks = missing(stored.card if stored else None)
    if not lacks:
        return ()
    message = f"its card does not say {', '.join(lacks)}: fairlead policy card, or the page Policies"
    return (Problem(field="version", message=message),)


def freeze(write: Write, key: str, version: int, *, at: int) -> None:
    """Keep the facts as they are when a policy version goes out."""
    stored = cards.find(write, POLICY, key, str(version))
    if stored is not None:
        _keep(write, POLICY, key, str(version), card=stored.card, by=stored.written_by, at=at)


def inherit(write: Write, name: str, version: str, *, by: str, at: int) -> None:
    """Keep a model version's card as it goes in service: its own words, else those about the version before."""
    stored = cards.find(write, MODEL, name, version) or cards.latest(write, MODEL, name)
    card = stored.card if stored else Card()
    _keep(write, MODEL, name, version, card=card, by=stored.written_by if stored else by, at=at)


def preset_card(name: str) -> Card:
    """Return the card of what a preset brought: it says that nobody here has judged it."""
    return Card(
        intended_use=f"What the preset {name} starts with, so that a fresh installation serves something.",
        limits="Nobody of this installation has judged it yet; write a card of your own for what you draft.",
        owner=f"preset {name}",
    )


def _keep(write: Write, object_kind: str, key: str, version: str, *, card: Card, by: str, at: int) -> StoredCard:
    told = facts(write, object_kind, key, version)
    return cards.save(write, object_kind, key, version, card=card, facts=told, by=by, at=at)


def _writing(object_kind: str) -> Callable[[Write, str, NewCard, Ground], Step]:
    def perform(write: Write, key: str, payload: NewCard, ground: Ground) -> Step:
        before = cards.find(write, object_kind, key, payload.version)
        if payload.etag is not None and payload.etag != (before.etag if before else ""):
            raise Stale("somebody wrote this card since you read it; read it again")
        after = _keep(write, object_kind, key, payload.version, card=payload.card, by=ground.author, at=ground.at)
        told = {"version": payload.version, **dump(after.card)}
        return Step(before=dump(before.card) if before else None, after=told, etag=after.etag)

    return perform


write_card = _writing(POLICY)


ACTIONS = tuple(
    Action(
        kind=f"{object_kind}.card",
        object_kind=object_kind,
        scope=Scope.POLICY_PROPOSE,
        payload=NewCard,
        level=always("D1"),
        perform=_writing(object_kind),
        etag=untagged,
        publishes=False,
    )
    for object_kind in (POLICY, MODEL)
)
