"""Receipts of consent: what was said, by whom, of which wording, signed with the installation's key."""

from collections.abc import Mapping
from typing import Any

from storage import consent_texts, ledger
from storage.database import Read
from storage.keys import Keys
from storage.records.clock import iso
from storage.records.consent import ConsentChange
from storage.signed import sign

SCHEMA = "fairlead.consent-receipt/1"


def receipt(read: Read, change: ConsentChange, raw: str, keys: Keys, *, environment: str) -> Mapping[str, Any]:
    """Return the signed receipt of one change; the same change always gives the same bytes, so none need be kept.

    It names the subject as the caller does, for it is their proof, and by ``commitment`` as the ledger's entry does.
    Its fields follow ISO/IEC TS 27560:2023 as far as this product knows them: who, purpose, state, when, how, wording.
    """
    text = consent_texts.find(read, change.purpose, change.text_version) if change.text_version else None
    return sign(
        {
            "schema": SCHEMA,
            "environment": environment,
            "subject": raw,
            "commitment": ledger.commitment(keys, change.subject),
            "purpose": change.purpose.value,
            "state": change.state,
            "said_at": iso(change.since),
            "recorded_at": iso(change.at),
            "source": change.source,
            "text_version": change.text_version or None,
            "text_sha256": text.digest if text else None,
            "consent_epoch": change.epoch,
        },
        keys,
    )
