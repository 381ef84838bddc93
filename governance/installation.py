"""The installation's settings and the kill switch."""

from collections.abc import Iterator
from dataclasses import field

from governance.actions import Action, Ground, Nothing, Step, always, refuse, untagged
from governance.validity import installation_problems
from storage import documents
from storage.database import Read, Write
from storage.errors import Conflict
from storage.records.access import Scope
from storage.records.changes import Level
from storage.records.document import digest, document, dump
from storage.records.policies import Installation, KillSwitch

INSTALLATION = "installation"
KILL = "kill_switch"


@document
class NewInstallation:
    """All settings of the installation, replacing what there is."""

    installation: Installation = field(default_factory=Installation)


def installation(read: Read) -> Installation:
    """Return the settings in force."""
    return documents.load(read, INSTALLATION, Installation) or Installation()


def installation_etag(read: Read, _key: str = INSTALLATION) -> str:
    """Return the tag of the settings."""
    return digest(installation(read))


def kill_switch(read: Read) -> KillSwitch:
    """Return the kill switch as it stands."""
    return documents.load(read, KILL, KillSwitch) or KillSwitch()


def _allowed(settings: Installation) -> Iterator[tuple[str, str]]:
    for region, purposes in settings.consent_default.items():
        for purpose, default in purposes.items():
            if default == "allow":
                yield region, purpose


def loosens_consent(before: Installation, after: Installation) -> bool:
    """Tell whether people who said nothing would be treated as if they had agreed to more."""
    moved = (before.region, before.region_from) != (after.region, after.region_from)
    return moved or not set(_allowed(after)) <= set(_allowed(before))


def _edit_level(read: Read, _key: str, payload: NewInstallation) -> Level:
    before, after = installation(read), payload.installation
    return "D3" if loosens_consent(before, after) or before.retention != after.retention else "D2"


def _edit(write: Write, _key: str, payload: NewInstallation, _ground: Ground) -> Step:
    before = installation(write)
    refuse(installation_problems(payload.installation))
    if before == payload.installation:
        raise Conflict("the settings are like this already")
    documents.save(write, INSTALLATION, payload.installation)
    return Step(before=dump(before), after=dump(payload.installation), etag=digest(payload.installation))


def _turn(write: Write, switch: KillSwitch) -> Step:
    before = kill_switch(write)
    if before.on == switch.on:
        raise Conflict("the kill switch is on already" if switch.on else "the kill switch is off already")
    documents.save(write, KILL, switch)
    return Step(before=dump(before), after=dump(switch))


def _kill(write: Write, _key: str, _payload: Nothing, ground: Ground) -> Step:
    return _turn(write, KillSwitch(on=True, since=ground.at, reason=ground.reason))


def _lift(write: Write, _key: str, _payload: Nothing, _ground: Ground) -> Step:
    return _turn(write, KillSwitch())


ACTIONS = (
    Action(
        kind="settings.edit",
        object_kind="settings",
        scope=Scope.ADMIN,
        propose=Scope.ADMIN,
        approve=Scope.ADMIN,
        payload=NewInstallation,
        level=_edit_level,
        perform=_edit,
        etag=installation_etag,
        tagged=True,
    ),
    Action(
        kind="kill.on",
        object_kind="kill_switch",
        scope=Scope.POLICY_APPLY,
        payload=Nothing,
        level=always("safe"),
        perform=_kill,
        etag=untagged,
    ),
    Action(
        kind="kill.off",
        object_kind="kill_switch",
        scope=Scope.POLICY_APPLY,
        payload=Nothing,
        level=always("D1"),
        perform=_lift,
        etag=untagged,
        confirmed=True,
        confirm=lambda _key, environment: environment,
    ),
)
