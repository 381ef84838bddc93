"""Consent in memory equals the record, whatever was said in whatever order."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from scoring_core.edges.consent import ConsentState
from storage.records.consent import ConsentChange, ConsentFlags, Purpose
from storage.records.policies import Installation

SUBJECTS = ("00ff" * 8, "11ee" * 8, "no hex at all")
said = st.lists(
    st.tuples(st.sampled_from(SUBJECTS), st.sampled_from(list(Purpose)), st.sampled_from(["granted", "denied"])),
    max_size=40,
)
defaults = st.dictionaries(st.sampled_from([each.value for each in Purpose]), st.sampled_from(["allow", "deny"]))


def change(epoch: int, subject: str, purpose: Purpose, state: str) -> ConsentChange:
    return ConsentChange(
        epoch=epoch, at=0, subject=subject, purpose=purpose, state=state, reason="", source="", actor=""
    )  # type: ignore[arg-type]  # drawn from the two states


@given(said=said, default=defaults)
def test_the_last_word_holds_and_the_default_elsewhere(said: list, default: dict) -> None:
    state = ConsentState()
    state.set_defaults(Installation(region="r", consent_default={"r": default}))
    changes = [change(number + 1, *each) for number, each in enumerate(said)]
    state.apply(changes)
    state.apply(changes[: len(changes) // 2])
    assert state.epoch == len(said)
    for subject in (*SUBJECTS, "22dd" * 8):

        def holds(purpose: Purpose, subject: str = subject) -> bool:
            words = [word for who, what, word in said if who == subject and what is purpose]
            return words[-1] == "granted" if words else default.get(purpose.value) == "allow"

        assert state.flags(subject) == ConsentFlags(
            tracking=holds(Purpose.TRACKING),
            personalization=holds(Purpose.PERSONALIZATION),
            profiling=holds(Purpose.PROFILING),
        )


def test_an_unknown_region_denies() -> None:
    state = ConsentState()
    state.set_defaults(Installation(region="moon", consent_default={"earth": {"tracking": "allow"}}))
    assert state.flags(SUBJECTS[0]) == ConsentFlags(tracking=False, personalization=False, profiling=False)
    state.set_defaults(Installation(region="moon", consent_default={"default": {"tracking": "allow"}}))
    assert state.flags(SUBJECTS[0]).tracking


def test_the_lease_holds_until_it_does_not_and_never_shrinks() -> None:
    state = ConsentState()
    assert not state.lease_holds(0)
    state.renew(2_000_000)
    state.renew(1_000_000)
    assert state.lease_holds(1_999_999)
    assert not state.lease_holds(2_000_000)
    state.forget()
    assert not state.lease_holds(0)


def test_an_objection_holds_ahead_of_its_epoch() -> None:
    state = ConsentState()
    state.set_defaults(Installation(consent_default={"default": {"personalization": "allow"}}))
    state.deny(SUBJECTS[0], Purpose.PERSONALIZATION)
    assert state.denied(SUBJECTS[0], Purpose.PERSONALIZATION)
    assert not state.flags(SUBJECTS[0]).personalization
    assert state.epoch == 0
    state.apply([change(1, SUBJECTS[0], Purpose.PERSONALIZATION, "granted")])
    assert state.flags(SUBJECTS[0]).personalization
    state.deny(SUBJECTS[0], Purpose.EMAIL)
    assert len(state) == 1


def test_each_region_has_its_own_defaults_and_what_is_said_holds_everywhere() -> None:
    regions = {"DE": {"tracking": "deny"}, "US": {"tracking": "allow"}, "default": {"profiling": "allow"}}
    settings = Installation(region="US", region_from="country", consent_default=regions)
    state = ConsentState()
    state.set_defaults(settings)
    tracked = {region: state.flags(SUBJECTS[0], region).tracking for region in ("DE", "US", "", "FR")}
    assert tracked == {"DE": False, "US": True, "": False, "FR": False}
    assert [state.flags(SUBJECTS[0], region).profiling for region in ("", "FR", "US")] == [True, True, False]
    state.apply(
        [change(1, SUBJECTS[0], Purpose.TRACKING, "granted"), change(2, SUBJECTS[0], Purpose.PROFILING, "denied")]
    )
    assert state.flags(SUBJECTS[0], "DE").tracking and not state.flags(SUBJECTS[0], "FR").profiling
    state.set_defaults(replace(settings, region_from=""))
    assert state.flags(SUBJECTS[1]).tracking
