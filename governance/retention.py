"""Retention: what is past its time is deleted, and the ledger says how much."""

import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from governance.control import Control
from governance.installation import installation
from governance.warrants import Warrant, system
from storage.database import Database
from storage.errors import NotFound
from storage.lake import Lake
from storage.records.clock import DAY, SECOND
from storage.retention import expire
from storage.subject_requests import find

_WARRANT = Warrant(by=system("retention"), reason="past the time that the settings name")


def retain(
    database: Database, lake: Lake, home: Path, control: Control, *, max_bytes: int, now: int
) -> Mapping[str, Any]:
    """Delete rows, counts, refused events, exports and answered requests past their time; return how many of each.

    Raises
    ------
    Full, Unavailable
        If the lake or the database does not answer; what went is gone, and the next run goes on.
    """
    with database.read() as read:
        keep = installation(read).retention
    retained = expire(lake, database, now=now, keep=keep, max_bytes=max_bytes)
    exports = _expire_exports(database, home, before=now - keep.exports_days * DAY)
    told = asdict(retained) | {"gone": {**retained.gone, "exports": exports}}
    if any(told["gone"].values()):
        control.subjects.note("retention.run", told["gone"], _WARRANT)
    return told


def _expire_exports(database: Database, home: Path, *, before: int) -> int:
    """Delete exports older than ``before``, and those of which the request is gone."""
    gone = 0
    for folder in (home / "exports").glob("*"):
        with database.read() as read:
            try:
                find(read, folder.name)
                old = folder.stat().st_mtime * SECOND < before
            except NotFound:
                old = True
        if old:
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone
