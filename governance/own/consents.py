"""What a person may allow, purpose by purpose, in plain words; on and off are one step each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from governance.installation import installation
from storage import consent, consent_texts
from storage.database import Database
from storage.records.consent import ConsentText, Purpose
from storage.records.requests import Traces

PLAIN: Final[Mapping[Purpose, tuple[str, str, str]]] = {
    Purpose.PERSONALIZATION: (
        "Choose things for me",
        "What you see is put in an order for you.",
        "You see what everyone sees.",
    ),
    Purpose.PROFILING: (
        "Learn my interests from what I do",
        "What you look at teaches us what you may like.",
        "Only what you say yourself counts.",
    ),
    Purpose.TRACKING: (
        "Remember what I do here",
        "What you look at is kept, under a code name.",
        "It is only counted, without you.",
    ),
    Purpose.DIRECT_MARKETING: (
        "Show me advertising meant for me",
        "Offers may be chosen for you.",
        "No advertising is addressed to you.",
    ),
    Purpose.EMAIL: ("Write me e-mails", "You may get e-mails about offers.", "Nobody writes to you about offers."),
}
"""Each purpose: what it is called, what it means while it is on, and while it is off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One purpose as a person finds it; ``by_person`` says whether they decided it, or the rules of their region."""

    purpose: Purpose
    title: str
    meaning: str
    on: bool
    by_person: bool
    since: int | None
    text: ConsentText | None


def choices(database: Database, known: Traces | None) -> list[Choice]:
    """Return every purpose, what holds, and the newest wording that people are asked with."""
    subjects = [] if known is None else list(known.subjects[:1])
    with database.read() as read:
        said = consent.latest(read, subjects)
        defaults = installation(read).defaults_of()
        texts = consent_texts.listed(read)
    found = []
    for purpose, (title, on, off) in PLAIN.items():
        last = next((said.get((subject, purpose)) for subject in subjects), None)
        granted = defaults.get(purpose.value, "deny") == "allow" if last is None else last.state == "granted"
        found.append(
            Choice(
                purpose=purpose,
                title=title,
                meaning=on if granted else off,
                on=granted,
                by_person=last is not None,
                since=None if last is None else last.since,
                text=_newest(texts, purpose),
            )
        )
    return found


def _newest(texts: Sequence[ConsentText], purpose: Purpose) -> ConsentText | None:
    return next((text for text in texts if text.purpose == purpose), None)
