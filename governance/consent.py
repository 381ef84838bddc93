"""What people agreed to: each statement is a row of the consent record, in the ledger, and on the person's receipt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance import rules
from governance.acknowledgement import Acknowledgements
from governance.book import Book, Deed, Matter
from governance.consent_receipts import receipt
from governance.installation import installation
from governance.outcomes import Acknowledged, Imported, Recorded
from governance.warrants import Warrant, require_reason
from storage import consent, consent_texts, ledger
from storage.database import Read, Write
from storage.errors import Invalid, Problem
from storage.pseudonyms import Salts
from storage.records.access import Scope
from storage.records.consent import ConsentChange, ConsentState, Purpose
from storage.records.document import digest

MAX_SUBJECT = 256
MOST_ASKED = 1_000
UNKNOWN = "unknown"
"""How the ledger names someone of whom there is no salt."""
_ACTIONS: Mapping[ConsentState, str] = {"denied": "consent.opt_out", "granted": "consent.opt_in"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What a raw subject said of one purpose, as another system tells it; ``said_at`` None stands for now."""

    subject: str
    purpose: Purpose
    state: ConsentState
    said_at: int | None = None
    text_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What holds for a subject and a purpose, and whether they said so or the default of the region does."""

    purpose: Purpose
    state: ConsentState
    by: str
    since: int | None = None
    source: str = ""
    text_version: str = ""


def subject_problem(subject: str) -> str:
    """Return what is wrong with a raw subject, or nothing."""
    return "" if 1 <= len(subject) <= MAX_SUBJECT else f"use 1 to {MAX_SUBJECT} characters"


class Consents:
    """What people agreed to, by raw id; raw ids go no further than this class, but onto the person's own receipt.

    Parameters
    ----------
    book, salts, acknowledgements
        The ledger's transactions, the pseudonyms, and the wait for replicas.
    """

    def __init__(self, book: Book, salts: Salts, acknowledgements: Acknowledgements) -> None:
        self._book = book
        self._salts = salts
        self._acknowledgements = acknowledgements

    def _check(self, subject: str) -> None:
        if message := subject_problem(subject):
            raise Invalid(f"subject: {message}", problems=(Problem(field="subject", message=message),))

    def _matter(self, action: str, pseudonym: str) -> Matter:
        """Name the subject by a commitment to the pseudonym: once its salt is gone, nobody can tie the entry to a
        person."""
        key = ledger.commitment(self._book.keys, pseudonym) if pseudonym else UNKNOWN
        return Matter(action=action, object_kind="subject", object_key=key)

    def record(
        self,
        subject: str,
        purpose: Purpose,
        state: ConsentState,
        warrant: Warrant,
        *,
        source: str,
        text_version: str = "",
    ) -> Recorded:
        """Record what a raw subject said and wait for the replicas; the answer holds their receipt."""
        self._check(subject)
        may = warrant.by.may(Scope.CONSENT_WRITE)
        pseudonym = self._salts.resolve([subject])[subject] if may else self._salts.find(subject) or ""

        def body(write: Write, at: int) -> Deed[tuple[ConsentChange, Mapping[str, Any]]]:
            rules.require_scope(warrant.by, Scope.CONSENT_WRITE)
            require_reason(warrant)
            _require_wording(write, purpose, state, text_version)
            change = consent.append(
                write,
                subject=pseudonym,
                purpose=purpose,
                state=state,
                reason=warrant.reason,
                source=source,
                actor=warrant.by.name,
                at=at,
                text_version=text_version,
            )
            after = {"purpose": purpose.value, "state": state, "epoch": change.epoch, "source": source}
            if text_version:
                after["text_version"] = text_version
            return Deed(answer=(change, self._receipt(write, change, subject)), after=after)

        (change, signed), _seq = self._book.enter(self._matter(_ACTIONS[state], pseudonym), warrant, body)
        told = self._acknowledgements.wait(change.epoch)
        return Recorded(**{name: getattr(told, name) for name in Acknowledged.__dataclass_fields__}, receipt=signed)

    def take(self, statements: Sequence[Statement], warrant: Warrant, *, source: str) -> Imported:
        """Record what another system tells, in one transaction with one entry of the ledger.

        What was said before the last word that is known here is outdated; what changes nothing is unchanged: taking the
        same again changes nothing. The caller checked the subjects.
        """
        raws = sorted({each.subject for each in statements})
        may = warrant.by.may(Scope.CONSENT_WRITE)
        pseudonyms = self._salts.resolve(raws) if may else {}

        def body(write: Write, at: int) -> Deed[Imported]:
            rules.require_scope(warrant.by, Scope.CONSENT_WRITE)
            require_reason(warrant)
            known = consent.latest(write, sorted(pseudonyms.values()))
            taken: list[ConsentChange] = []
            unchanged = outdated = 0
            for each in sorted(statements, key=lambda one: at if one.said_at is None else one.said_at):
                who = pseudonyms[each.subject]
                before = known.get((who, each.purpose))
                if before is not None and each.said_at is not None and each.said_at < before.since:
                    outdated += 1
                    continue
                if before is not None and (before.state, before.text_version) == (each.state, each.text_version):
                    unchanged += 1
                    continue
                change = ConsentChange(
                    epoch=0,
                    at=at,
                    subject=who,
                    purpose=each.purpose,
                    state=each.state,
                    reason=warrant.reason,
                    source=source,
                    actor=warrant.by.name,
                    text_version=each.text_version,
                    said_at=each.said_at,
                )
                known[who, each.purpose] = change
                taken.append(change)
            taken = consent.append_all(write, taken)
            answer = Imported(
                epoch=taken[-1].epoch if taken else consent.epoch(write),
                granted=sum(change.state == "granted" for change in taken),
                denied=sum(change.state == "denied" for change in taken),
                unchanged=unchanged,
                outdated=outdated,
            )
            told = [[change.epoch, change.subject, change.purpose.value, change.state] for change in taken]
            after = {
                "source": source,
                "epochs": [taken[0].epoch, taken[-1].epoch] if taken else [],
                "statements": ledger.commitment(self._book.keys, digest(told)),
                **{name: getattr(answer, name) for name in ("granted", "denied", "unchanged", "outdated")},
            }
            return Deed(answer=answer, after=after)

        matter = Matter(action="consent.import", object_kind="consent", object_key=source)
        return self._book.enter(matter, warrant, body)[0]

    def acknowledge(self, epoch: int) -> Acknowledged:
        """Wait until the replicas decide with an epoch, at most 2.5 s."""
        return self._acknowledgements.wait(epoch)

    def look_up(self, subject: str, warrant: Warrant) -> str | None:
        """Return the pseudonym of a raw subject for who may read what is kept of them; None for an unknown one."""
        self._check(subject)
        pseudonym = self._salts.find(subject)

        def body(_write: Write, _at: int) -> Deed[str | None]:
            rules.require_scope(warrant.by, Scope.DECISION_READ)
            require_reason(warrant)
            return Deed(answer=pseudonym, after={"known": pseudonym is not None})

        return self._book.enter(self._matter("subject.look_up", pseudonym or ""), warrant, body)[0]

    def history(self, subject: str, warrant: Warrant) -> list[ConsentChange]:
        """Look up what a raw subject said, oldest first; nothing is made of an unknown one but the ledger's entry."""
        return [change for change, _signed in self._read(subject, warrant, "consent.look_up")]

    def receipts(self, subject: str, warrant: Warrant) -> list[Mapping[str, Any]]:
        """Return the signed receipts of all that a raw subject said, oldest first."""
        return [signed for _change, signed in self._read(subject, warrant, "consent.receipts")]

    def _read(self, subject: str, warrant: Warrant, action: str) -> list[tuple[ConsentChange, Mapping[str, Any]]]:
        self._check(subject)
        pseudonym = self._salts.find(subject)

        def body(write: Write, _at: int) -> Deed[list[tuple[ConsentChange, Mapping[str, Any]]]]:
            rules.require_scope(warrant.by, Scope.CONSENT_READ)
            require_reason(warrant)
            said = consent.history(write, pseudonym) if pseudonym else []
            found = [(change, self._receipt(write, change, subject)) for change in said]
            return Deed(answer=found, after={"changes": len(found)})

        return self._book.enter(self._matter(action, pseudonym or ""), warrant, body)[0]

    def own(self, subject: str) -> Mapping[Purpose, ConsentChange]:
        """Return what one of the product's own subjects said last; no person's, so that no entry is made."""
        pseudonym = self._salts.find(subject)
        if pseudonym is None:
            return {}
        with self._book.database.read() as read:
            return {purpose: change for (_, purpose), change in consent.latest(read, [pseudonym]).items()}

    def state(self, subject: str, region: str, warrant: Warrant) -> list[Standing]:
        """Return what holds for a raw subject, purpose by purpose; ``region`` decides where they said nothing."""
        self._check(subject)
        pseudonym = self._salts.find(subject)

        def body(write: Write, _at: int) -> Deed[list[Standing]]:
            rules.require_scope(warrant.by, Scope.CONSENT_READ)
            require_reason(warrant)
            said = consent.latest(write, [pseudonym]) if pseudonym else {}
            defaults = installation(write).defaults_of(region)
            found = [_standing(purpose, said.get((pseudonym or "", purpose)), defaults) for purpose in Purpose]
            return Deed(answer=found, after={"purposes": len(found)})

        return self._book.enter(self._matter("consent.look_up", pseudonym or ""), warrant, body)[0]

    def allowed(self, subjects: Sequence[str], purpose: Purpose, region: str, warrant: Warrant) -> list[str]:
        """Return which of the raw subjects may be addressed for a purpose, as whoever sends mail has to ask; one entry
        of the ledger for all of them."""
        pseudonyms = self._salts.found(subjects)
        known = {raw: pseudonyms.get(raw) for raw in dict.fromkeys(subjects)}

        def body(write: Write, _at: int) -> Deed[list[str]]:
            rules.require_scope(warrant.by, Scope.CONSENT_READ)
            require_reason(warrant)
            said = consent.latest(write, sorted(filter(None, known.values())))
            default = installation(write).defaults_of(region).get(purpose.value, "deny") == "allow"
            last = {raw: said.get((who or "", purpose)) for raw, who in known.items()}
            found = [raw for raw, one in last.items() if (default if one is None else one.state == "granted")]
            after = {"purpose": purpose.value, "asked": len(known), "allowed": len(found)}
            return Deed(answer=found, after=after)

        matter = Matter(action="consent.check", object_kind="consent", object_key=purpose.value)
        return self._book.enter(matter, warrant, body)[0]

    def _receipt(self, read: Read, change: ConsentChange, raw: str) -> Mapping[str, Any]:
        return receipt(read, change, raw, self._book.keys, environment=self._book.environment)


def _require_wording(read: Read, purpose: Purpose, state: ConsentState, version: str) -> None:
    """Refuse a yes to a wording that nobody published; a no is never held up."""
    if state == "granted" and version and consent_texts.find(read, purpose, version) is None:
        message = f"no wording of {purpose.value} has this version; publish it first, or leave it out"
        raise Invalid(f"text_version: {message}", problems=(Problem(field="text_version", message=message),))


def _standing(purpose: Purpose, said: ConsentChange | None, defaults: Mapping[str, str]) -> Standing:
    if said is None:
        allowed = defaults.get(purpose.value, "deny") == "allow"
        return Standing(purpose=purpose, state="granted" if allowed else "denied", by="default")
    return Standing(
        purpose=purpose,
        state=said.state,
        by="person",
        since=said.since,
        source=said.source,
        text_version=said.text_version,
    )
