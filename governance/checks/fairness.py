"""The fairness audit."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from storage.database import Database
from storage.lake import Lake
from storage.records.findings import Audit


def run_fairness(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Run the audit, store it (``findings.save``) and return it; ``audit_id`` is ``fairness-{job_id}``."""
    raise NotImplementedError
