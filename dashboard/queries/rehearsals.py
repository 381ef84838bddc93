"""What-ifs and off-policy estimates as pages read them."""

from collections.abc import Mapping
from typing import Any

import orjson

from storage import findings
from storage.database import Read
from storage.records.findings import Audit

KINDS = ("whatif", "offpolicy")
LONGEST = 90


def tried(read: Read, *, limit: int = 30) -> tuple[Audit, ...]:
    """Return what was tried, of both kinds, what was asked last first: its job's id tells when (UUIDv7), and a dry run
    asked for earlier may end later."""
    every = [one for kind in KINDS for one in findings.audits(read, kind, limit=limit)]
    return tuple(sorted(every, key=lambda one: one.audit_id.partition("-")[2], reverse=True)[:limit])


def named(audit: Audit) -> str:
    """Return in a few words what was tried; plain text."""
    told: Mapping[str, Any] = audit.result.get("scenario", {})
    if "log" in told:
        where = f" in {told['campaign']}" if told.get("campaign") else ""
        return f"{told['target']} from the log of {told['log']}{where}"
    parts = []
    if told.get("policy"):
        parts.append(f"version {told.get('version')} of {told['policy']}")
    if told.get("change"):
        parts.append(f"the change {told['change']}")
    for section, edits in (told.get("edits") or {}).items():
        for key, edit in edits.items():
            parts.append(f"{section[:-1] if section != 'policies' else 'policy'} {key}: {_said(edit)}")
    return f"{', '.join(parts) or 'nothing'} ({'seven days' if audit.kind == 'offpolicy' else 'what if'})"[:LONGEST]


def _said(edit: Any) -> str:
    return "taken away" if edit is None else orjson.dumps(edit).decode()
