"""Evidence: what was found or done, as a bundle that others can check with the public key alone."""

import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage import extracts
from storage.anchors import Anchors
from storage.bundles import bundle
from storage.database import Read
from storage.extracts import Wanted
from storage.keys import Keys
from storage.ledger import entries
from storage.records.document import canonical
from storage.records.findings import Audit


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Whose evidence it is: the installation, its code's version, who asks, and when."""

    keys: Keys
    anchors: Anchors
    environment: str
    version: str
    by: str
    at: int


def ledger_bundle(read: Read, source: Source, path: Path, wanted: Wanted) -> int:
    """Write the entries asked for and the chain around them; return how many are shown in plain text."""
    made = extracts.extract(read, source.anchors, wanted)
    about = _about(read, source, "ledger", wanted.filters) | {"chain": made.chain}
    bundle(path, source.keys, about=about, files=made.files)
    return made.shown


def proof_bundle(read: Read, source: Source, path: Path, seq: int) -> None:
    """Write one entry and the chain's segment between the anchors around it."""
    made = extracts.proof(read, source.anchors, seq)
    about = _about(read, source, "ledger", {"seq": seq}) | {"chain": made.chain}
    bundle(path, source.keys, about=about, files=made.files)


def audit_bundle(read: Read, source: Source, path: Path, audit: Audit, home: Path) -> None:
    """Write an audit with its files; what the files say of themselves is the audit's, unchanged."""
    files: dict[str, Iterable[bytes]] = {"audit.json": (canonical(audit),)}
    for name, place in audit.artifacts.items():
        found = (home / place).resolve()
        if found.is_relative_to((home / "audits").resolve()) and found.is_file():
            files[f"artifacts/{name}"] = (found.read_bytes(),)
    bundle(path, source.keys, about=_about(read, source, "audit", {"audit_id": audit.audit_id}), files=files)


def _about(read: Read, source: Source, kind: str, filters: Mapping[str, Any]) -> dict[str, Any]:
    last = next(iter(entries(read, limit=1)), None)
    return {
        "kind": kind,
        "made_at": source.at,
        "made_by": source.by,
        "environment": source.environment,
        "version": source.version,
        "python": platform.python_version(),
        "filters": dict(filters),
        "chain_head": None if last is None else {"seq": last.seq, "hash": last.hash},
    }
