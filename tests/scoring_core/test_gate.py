"""The gate: who may be personalized at all."""

import pytest
from msgspec.structs import replace as altered

from scoring_core.gate import REFUSALS, Refusal, admit, recalled
from storage.records.consent import Consented
from storage.records.policies import KillSwitch
from tests.scoring_core.world import Consent, decided, request, world


def test_who_agreed_is_admitted_with_what_the_gate_saw() -> None:
    admission = admit(request(), world(), 0)
    assert isinstance(admission, Consented)
    assert (admission.subject, admission.epoch) == (request().subject, 3)
    assert admission.flags is not None
    assert admission.flags.personalization


@pytest.mark.parametrize(
    ("changes", "consent", "killed", "reason"),
    [
        ({}, Consent(), True, "kill_switch"),
        ({"gpc": True}, Consent(), False, "gpc"),
        ({}, Consent(lease=False), False, "consent_stale"),
        ({"subject": None}, Consent(), False, "anonymous"),
        ({"subject": ""}, Consent(), False, "anonymous"),
        ({}, Consent(denied=frozenset({"5f" * 16})), False, "no_consent"),
    ],
)
def test_who_is_refused_learns_why(changes: dict[str, object], consent: Consent, killed: bool, reason: str) -> None:
    live = world(consent=consent, kill_switch=KillSwitch(on=killed))
    admission = admit(request(**changes), live, 0)
    assert isinstance(admission, Refusal)
    assert (admission.reason, admission.epoch) == (reason, 3)
    assert reason in REFUSALS


def test_consent_is_asked_only_when_it_may_be_answered() -> None:
    for live in (world(consent=Consent(lease=False)), world(consent=Consent(), kill_switch=KillSwitch(on=True))):
        admit(request(), live, 0)
        assert live.consent.asked == []  # type: ignore[attr-defined]  # the world's consent record


def test_a_record_recalls_what_the_gate_said() -> None:
    live = world()
    assert recalled(decided(live)) == admit(request(), live, 0)
    for consent in (Consent(lease=False), Consent(denied=frozenset({"5f" * 16}))):
        refused = world(consent=consent)
        assert recalled(decided(refused)) == admit(request(), refused, 0)


def test_a_record_that_contradicts_itself_recalls_nothing() -> None:
    record = decided(world())
    assert recalled(altered(record, consent=None)) is None
    assert recalled(altered(record, consent={"tracking": True})) is None
    assert recalled(altered(record, subject=None)) is None
    refused = decided(world(consent=Consent(lease=False)))
    assert recalled(altered(refused, reason="ok")) is None
    assert recalled(altered(refused, served_by="model")) is None
