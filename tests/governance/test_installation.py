"""The installation's settings: loosening consent takes two people and a pause, tightening it neither."""

from collections.abc import Callable

import pytest

from governance.control import Control
from storage.errors import Conflict, Forbidden, NeedsApproval
from storage.records.document import digest, dump

from .conftest import installation, warrant


def test_loosening_consent_needs_two_people_and_a_pause(control: Control, clock: Callable[[], int]) -> None:
    looser = installation(consent_default={"demo": {"personalization": "allow", "profiling": "allow"}})
    payload = {"installation": {**_plain(looser)}}
    change = control.propose("settings.edit", "installation", payload, warrant("alice"))
    assert change.level == "D3"
    control.submit(change.change_id, warrant("alice"))
    control.approve(change.change_id, warrant("bob"))
    with pytest.raises(NeedsApproval):
        control.apply(change.change_id, warrant("alice", confirm="installation"))
    with pytest.raises(Forbidden):
        control.approve(change.change_id, warrant("olga", "ops"))
    control.approve(change.change_id, warrant("carol"))
    with pytest.raises(Conflict, match="minutes"):
        control.apply(change.change_id, warrant("alice", confirm="installation"))
    clock.at += 15 * 60 * 1_000_000  # type: ignore[attr-defined]  # the test's clock
    control.apply(change.change_id, warrant("alice", confirm="installation"))
    snapshot = control.snapshot()
    assert snapshot is not None and snapshot.installation == looser


def test_one_person_loosens_consent_alone_but_not_at_once(solo: Control, clock: Callable[[], int]) -> None:
    payload = {"installation": _plain(installation(consent_default={"demo": {"tracking": "allow"}}))}
    with pytest.raises(NeedsApproval):
        solo.do("settings.edit", "installation", payload, warrant(confirm="installation", etag=tag_of_settings(solo)))
    change = solo.propose("settings.edit", "installation", payload, warrant())
    solo.submit(change.change_id, warrant())
    solo.approve(change.change_id, warrant())
    with pytest.raises(Conflict, match="minutes"):
        solo.apply(change.change_id, warrant(confirm="installation"))
    clock.at += 15 * 60 * 1_000_000  # type: ignore[attr-defined]  # the test's clock
    assert solo.apply(change.change_id, warrant(confirm="installation")).level == "D3"


def test_tightening_consent_is_broad_not_grave(solo: Control) -> None:
    payload = {"installation": _plain(installation(consent_default={"demo": {}}))}
    order = warrant(confirm="installation", etag=tag_of_settings(solo))
    outcome = solo.do("settings.edit", "installation", payload, order)
    assert outcome.level == "D2"


def tag_of_settings(control: Control) -> str:
    snapshot = control.snapshot()
    assert snapshot is not None
    return digest(snapshot.installation)


def _plain(record: object) -> dict[str, object]:
    return dump(record)
