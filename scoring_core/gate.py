"""Who may be personalized at all: the kill switch and consent, never policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

from scoring_core.live import Live, Request
from storage.records.consent import Consented, ConsentFlags
from storage.records.decisions import Decision

RefusalReason = Literal["kill_switch", "gpc", "consent_stale", "anonymous", "no_consent"]
REFUSALS: frozenset[str] = frozenset(get_args(RefusalReason))
NOTHING_LEFT = frozenset({"no_candidates", "capped"})
"""The reasons of a decision that could serve nothing, whatever the gate said."""


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
    named = live.snapshot.installation.region_from
    flags = consent.flags(request.subject, str(request.context.get(named, "")) if named else "")
    if not flags.personalization:
        return Refusal("no_consent", epoch, flags)
    return Consented(request.subject, epoch, flags)


def recalled(record: Decision) -> Admission | None:
    """Return what the gate said when ``record`` was made, or None where the record contradicts itself."""
    flags = _flags(record.consent)
    if flags is None and record.consent is not None:
        return None
    agreed = flags is not None and flags.personalization
    if record.subject is not None:
        return Consented(record.subject, record.consent_epoch, flags) if agreed and record.subject else None
    if agreed or record.served_by != "default" or record.reason not in REFUSALS | NOTHING_LEFT:
        return None
    reason = cast(RefusalReason, record.reason if record.reason in REFUSALS else "anonymous")
    return Refusal(reason, record.consent_epoch, flags)


def _flags(consent: Mapping[str, bool] | None) -> ConsentFlags | None:
    if consent is None or consent.keys() != {"tracking", "personalization", "profiling"}:
        return None
    return ConsentFlags(**consent)
