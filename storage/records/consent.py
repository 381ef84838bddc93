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
    """One row of the consent record; its id is the consent epoch. ``subject`` is a pseudonym."""

    epoch: int
    at: int
    subject: str
    purpose: Purpose
    state: ConsentState
    reason: str
    source: str
    actor: str
    text_version: str = ""


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
