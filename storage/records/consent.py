"""What a person agreed to, by purpose."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class Purpose(StrEnum):
    """The purposes that a person may grant or deny, each on its own."""

    TRACKING = "tracking"
    PERSONALIZATION = "personalization"
    PROFILING = "profiling"
    DIRECT_MARKETING = "direct_marketing"
    EMAIL = "email"


ConsentState = Literal["granted", "denied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentChange:
    """One row of the consent record; its id is the consent epoch. ``subject`` is a pseudonym. ``at`` is when it was
    recorded, ``said_at`` when the person said so, where that was another time."""

    epoch: int
    at: int
    subject: str
    purpose: Purpose
    state: ConsentState
    reason: str
    source: str
    actor: str
    text_version: str = ""
    said_at: int | None = None

    @property
    def since(self) -> int:
        """When the person said so."""
        return self.at if self.said_at is None else self.said_at


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentText:
    """One immutable wording that people are asked with, in one language; ``digest`` is the SHA-256 of its body."""

    purpose: Purpose
    version: str
    language: str
    body: str
    digest: str
    at: int
    author: str


ProbeKind = Literal["standing", "withdrawal"]
ProbeResult = Literal["left_alone", "personalized", "no_answer"]
Detector = Literal["probe", "replay"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentProbe:
    """What one replica answered to who had opted out long before (``standing``) or a moment ago (``withdrawal``).

    ``epoch`` is the opt-out's; ``enforced_us`` the time from its commit to the first answer that left the probe alone.
    """

    at: int
    replica: str
    kind: ProbeKind
    result: ProbeResult
    reason: str
    decision_id: str
    epoch: int
    enforced_us: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentViolation:
    """A decision that was personalized though its person had opted out; ``epoch`` is the opt-out's."""

    decision_id: str
    detector: Detector
    replica: str
    at: int
    found_at: int
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentFlags:
    """What holds for one subject at one moment."""

    tracking: bool
    personalization: bool
    profiling: bool


@dataclass(frozen=True, slots=True)
class Consented:
    """Proof that ``subject`` agreed to personalization when the decision started.

    Feature reads accept nothing else; ``scoring_core.gate`` alone mints it (a house test holds that). ``epoch`` and
    ``flags`` are what the gate saw, so that a record never tells of a later state.
    """

    subject: str
    epoch: int = 0
    flags: ConsentFlags | None = None
