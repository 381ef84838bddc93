"""Objection, restriction and rectification: done at once, with a receipt, and no step harder than the opposite."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.acknowledgement import Acknowledgements
from governance.installation import installation
from governance.outcomes import Acknowledged
from governance.subjects import Subjects
from governance.warrants import Warrant
from scoring_core.features.statements import edited
from storage import consent, erasure, profiles, subject_requests
from storage.database import Write
from storage.errors import Conflict, Invalid, Problem
from storage.records.changes import Receipt
from storage.records.consent import Purpose
from storage.records.profiles import Profile
from storage.records.requests import SubjectRequest, Traces

MARKETING = (Purpose.DIRECT_MARKETING, Purpose.EMAIL)
"""What an objection is about where it names nothing else (GDPR 21(2))."""
RESTRICTED = "restriction"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A request that was done, and which replicas decide by it already."""

    request: SubjectRequest
    acknowledged: Acknowledged


def erased_to(receipt: Receipt) -> int:
    """Return the order about subjects up to which a replica did everything; 0 where it did not say."""
    return int(receipt.details.get("erased_to", 0))


class Rights:
    """What a person may ask for that takes nobody's approval.

    Parameters
    ----------
    subjects, acknowledgements
        The requests, and the wait for replicas.
    """

    def __init__(self, subjects: Subjects, acknowledgements: Acknowledgements) -> None:
        self._subjects = subjects
        self._book = subjects.book
        self._acknowledgements = acknowledgements

    def object_to(self, subject: str, purposes: Sequence[Purpose], warrant: Warrant) -> Answered:
        """Let a person's data be used for some purposes no more, by default for direct marketing (GDPR 21)."""
        against = tuple(dict.fromkeys(purposes or MARKETING))
        epochs: list[int] = []

        def perform(write: Write, at: int, known: Traces, _request_id: str) -> Mapping[str, Any]:
            epochs.append(self._deny(write, known, against, warrant, at, source="objection"))
            return {"consent_epoch": epochs[-1]}

        step = {"purposes": [purpose.value for purpose in against]}
        request = self._subjects.do(subject, "objection", warrant, step, perform)
        return Answered(request=request, acknowledged=self._acknowledgements.wait(epochs[-1]))

    def restrict(self, subject: str, warrant: Warrant) -> Answered:
        """Keep everything of a person and use nothing (GDPR 18): every purpose is denied, and training, audits and
        forecasts leave their rows out, and age deletes none."""
        epochs: list[int] = []

        def perform(write: Write, at: int, known: Traces, request_id: str) -> Mapping[str, Any]:
            if known.subjects[0] in subject_requests.restricted(write):
                raise Conflict("this person is restricted already")
            for one in known.subjects:
                said = {change.purpose: change.state for change in consent.history(write, one)}
                granted = tuple(purpose.value for purpose, state in said.items() if state == "granted")
                subject_requests.restrict(write, one, at=at, request_id=request_id, before=granted)
            epochs.append(self._deny(write, known, tuple(Purpose), warrant, at, source=RESTRICTED))
            return {"consent_epoch": epochs[-1]}

        request = self._subjects.do(subject, "restriction", warrant, {"outcome": "restricted"}, perform)
        return Answered(request=request, acknowledged=self._acknowledgements.wait(epochs[-1]))

    def lift(self, subject: str, warrant: Warrant) -> Answered:
        """End a restriction, after the person was told (GDPR 18(3)). What they had granted holds again; what held only
        by the region's default stays denied until they say so."""
        epochs: list[int] = []

        def perform(write: Write, at: int, known: Traces, _request_id: str) -> Mapping[str, Any]:
            if known.subjects[0] not in subject_requests.restricted(write):
                raise Conflict("this person is not restricted")
            granted: dict[str, None] = {}
            epochs.append(consent.epoch(write))
            for one in known.subjects:
                before = subject_requests.unrestrict(write, one)
                granted |= dict.fromkeys(before)
                epochs.extend(
                    self._say(write, one, Purpose(purpose), "granted", warrant, at, source=RESTRICTED)
                    for purpose in before
                )
            return {"granted_again": list(granted), "consent_epoch": epochs[-1]}

        request = self._subjects.do(subject, "restriction", warrant, {"outcome": "lifted"}, perform)
        return Answered(request=request, acknowledged=self._acknowledgements.wait(epochs[-1]))

    def rectify(
        self, subject: str, attributes: Mapping[str, Any], interests: Mapping[str, Any], warrant: Warrant
    ) -> Answered:
        """Correct what is stated of a person (GDPR 16): what is not named stays, None takes a statement back."""
        if not attributes and not interests:
            message = "name at least one attribute or interest"
            raise Invalid(f"attributes: {message}", problems=(Problem(field="attributes", message=message),))
        numbers: list[int] = []

        def perform(write: Write, at: int, known: Traces, request_id: str) -> Mapping[str, Any]:
            found = profiles.stated(write, known.subjects[0])
            profile = edited(
                Profile() if found is None else found.profile,
                attributes=attributes,
                interests=interests,
                installation=installation(write),
                now=at,
            )
            profiles.state(write, known.subjects[0], profile, at=at)
            whom = known.subjects[:1]
            numbers.append(erasure.order(write, "restate", subjects=whom, request_id=request_id, at=at))
            return {}

        step = {"corrected": sorted([*attributes, *interests])}
        request = self._subjects.do(subject, "rectification", warrant, step, perform)
        done = self._acknowledgements.wait(numbers[-1], of=erased_to)
        if done.complete:
            with self._book.database.write() as write:
                erasure.close_orders(write, request.request_id)
        return Answered(request=request, acknowledged=done)

    def _deny(
        self, write: Write, known: Traces, purposes: Sequence[Purpose], warrant: Warrant, at: int, *, source: str
    ) -> int:
        epochs = [
            self._say(write, one, purpose, "denied", warrant, at, source=source)
            for one in known.subjects
            for purpose in purposes
        ]
        return epochs[-1]

    @staticmethod
    def _say(  # noqa: PLR0917  # what a consent change is made of
        write: Write, subject: str, purpose: Purpose, state: Any, warrant: Warrant, at: int, *, source: str
    ) -> int:
        change = consent.append(
            write,
            subject=subject,
            purpose=purpose,
            state=state,
            reason=warrant.reason,
            source=source,
            actor=warrant.by.name,
            at=at,
        )
        return change.epoch
