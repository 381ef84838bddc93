"""Who may be personalized at all: the kill switch and consent, never policy."""

from dataclasses import dataclass
from typing import Literal, get_args

from scoring_core.live import Live, Request
from storage.records.consent import Consented, ConsentFlags

RefusalReason = Literal["kill_switch", "gpc", "consent_stale", "anonymous", "no_consent"]
REFUSALS: frozenset[str] = frozenset(get_args(RefusalReason))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request gets the default experience; ``epoch`` and ``flags`` are what the gate saw."""

    reason: RefusalReason
    epoch: int = 0
    flags: ConsentFlags | None = None


Admission = Consented | Refusal


def admit(request: Request, live: Live, monotonic_us: int) -> Admission:
    """Admit a request to personalization, or say why not.

    The epoch is read before the flags: a change that lands between the two makes the record claim an older epoch than
    the state it used, never a newer one.
    """
    consent = live.consent
    epoch = consent.epoch
    if live.snapshot.kill_switch.on:
        return Refusal("kill_switch", epoch)
    if request.gpc:
        return Refusal("gpc", epoch)
    if not consent.lease_holds(monotonic_us):
        return Refusal("consent_stale", epoch)
    if not request.subject:
        return Refusal("anonymous", epoch)
    flags = consent.flags(request.subject)
    if not flags.personalization:
        return Refusal("no_consent", epoch, flags)
    return Consented(request.subject, epoch, flags)
