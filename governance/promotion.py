"""Which version of a model is in service, and the way back."""

from governance.actions import Action, Ground, Nothing, Step, always, found
from governance.cards import inherit
from storage import registry
from storage.database import Read, Write
from storage.errors import Conflict
from storage.records.access import Scope
from storage.records.changes import Level
from storage.records.document import document


@document
class Promotion:
    """The version of a model to put in service."""

    version: str


def _in_service(read: Read, name: str) -> str | None:
    model = registry.in_service(read).get(name)
    return model.version if model else None


def _level(read: Read, name: str, _payload: Promotion) -> Level:
    return "D1" if _in_service(read, name) is None else "D2"


def _promote(write: Write, name: str, payload: Promotion, ground: Ground) -> Step:
    known = {(model.name, model.version) for model in registry.models(write)}
    found((name, payload.version) in known or None, "model version")
    before = _in_service(write, name)
    if before == payload.version:
        raise Conflict("this version is in service already")
    registry.promote(write, name, payload.version, at=ground.at)
    inherit(write, name, payload.version, by=ground.author, at=ground.at)
    return Step(before={"version": before}, after={"version": payload.version}, etag=payload.version)


def _roll_back(write: Write, name: str, _payload: Nothing, ground: Ground) -> Step:
    taken, back = registry.roll_back(write, name, at=ground.at)
    return Step(before={"version": taken}, after={"version": back, "withdrawn": taken}, etag=back)


def _etag(read: Read, name: str) -> str:
    return _in_service(read, name) or ""


ACTIONS = (
    Action(
        kind="model.promote",
        object_kind="model",
        scope=Scope.POLICY_APPLY,
        payload=Promotion,
        level=_level,
        perform=_promote,
        etag=_etag,
    ),
    Action(
        kind="model.rollback",
        object_kind="model",
        scope=Scope.POLICY_APPLY,
        payload=Nothing,
        level=always("safe"),
        perform=_roll_back,
        etag=_etag,
    ),
)
