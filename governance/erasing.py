"""The erasure of one person, step by step until it is proven: replicas, logs, lake, counts, exports, search."""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from governance.acknowledgement import Acknowledgements
from governance.control import Control
from governance.erasure import EXPORTED
from governance.retraining import RetrainPlan
from governance.rights import erased_to
from governance.training import learned_from
from governance.warrants import Warrant, system
from storage import erasure, residue, subject_requests
from storage.database import Database
from storage.errors import Conflict, Unavailable
from storage.eventlog.embedded import EmbeddedLog
from storage.eventlog.scrubbing import scrub
from storage.hot import residue as hot_residue
from storage.joins import Touched
from storage.keys import Keys
from storage.lake import Lake
from storage.records.clock import SECOND, iso
from storage.records.requests import SubjectRequest, Traces
from storage.rewriting import find, of_person, rewrite

BETWEEN_US = 60 * SECOND
"""So long after the lake was rewritten it is looked through again: what was on its way then has landed."""
PATIENCE_S = 10.0
DATABASE_FILES = ("fairlead.db", "fairlead.db-wal")
LOG_DAYS = 7
_WARRANT = Warrant(by=system("erasure"), reason="carried out as two people approved")


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasing:
    """What an erasure works with; ``recount`` counts the heatmaps' cells anew after rows left the lake."""

    database: Database
    lake: Lake
    home: Path
    keys: Keys
    control: Control
    recount: Callable[[Touched], int]
    now: Callable[[], int]
    redis_url: str | None = None
    retraining: RetrainPlan = field(default_factory=RetrainPlan)
    between_us: int = BETWEEN_US

    def step(self, request_id: str) -> Mapping[str, Any]:
        """Go as far as can be gone now; asking again goes on. Return how far it has come.

        Raises
        ------
        NotFound, Unavailable
            If there is no such request, or a store does not answer; nothing is lost then.
        """
        with self.database.read() as read:
            request = subject_requests.find(read, request_id)
        if request.state != "running" or request.kind != "erasure":
            return {"state": request.state}
        behind = self._behind(int(request.progress["order"]))
        if behind:
            return {"state": "running", "waiting_for": behind}
        request = self._scrub_logs_left_behind(request)
        request = self._rewrite(request)
        passes = request.progress.get("passes", [])
        if passes[-1]["rows"] or len(passes) < 2:
            return {"state": "running", "rows": passes[-1]["rows"], "looked": len(passes)}
        return self._prove(request)

    def _behind(self, number: int) -> tuple[str, ...]:
        """Return the replicas that have not done the order; one that stopped does it when it starts."""
        waiting = Acknowledgements(self.database, now=self.now)
        return waiting.wait(number, limit_s=PATIENCE_S, of=erased_to).waiting_for

    def _scrub_logs_left_behind(self, request: SubjectRequest) -> SubjectRequest:
        """Erase from the logs that no replica has open; those that are open were erased by their replicas."""
        entries = 0
        for path in sorted((self.home / "logs").glob("*.db")):
            try:
                log = EmbeddedLog(path, log_id="erasure")
            except Conflict:
                continue
            try:
                gone = scrub(log, request.traces.subjects)
            finally:
                _closed(log)
            entries += gone.entries
            if gone.decision_ids:
                with self.database.write() as write:
                    erasure.bury(write, self.keys, gone.decision_ids, at=self.now())
        before = int(request.progress.get("log_entries", 0))
        return self._note(request, log_entries=before + entries) if entries else request

    def _rewrite(self, request: SubjectRequest) -> SubjectRequest:
        """Rewrite the lake's files without the person and count their cells anew, unless it was done a moment ago."""
        passes = list(request.progress.get("passes", []))
        if passes and not passes[-1]["rows"] and len(passes) > 1:
            return request
        if passes and self.now() - passes[-1]["at"] < self.between_us:
            return request
        found = find(self.lake, request.traces)
        known = replace(request.traces, sessions=tuple(sorted(found.sessions)), touched=tuple(sorted(found.touched)))
        progress: dict[str, Any] = {}
        if found.files and "models" not in request.progress:
            with self.database.read() as read:
                progress["models"] = learned_from(
                    read, found.files, since=found.first_at, plan=self.retraining, now=self.now()
                )
        if found.decision_ids:
            with self.database.write() as write:
                erasure.bury(write, self.keys, found.decision_ids, at=self.now())
                letters = erasure.forget_letters(write, found.decision_ids)
            progress["letters"] = int(request.progress.get("letters", 0)) + letters
        request = self._note(request, traces=known, **progress)
        goes = of_person(known.subjects, known.sessions)
        rows = sum(rewrite(self.lake, self.database, path, goes) for path in found.files)
        cells = self.recount(set(known.touched)) if known.touched else 0
        passes.append({"at": self.now(), "rows": rows, "files": len(found.files), "by_kind": found.rows})
        return self._note(
            request, traces=replace(known, touched=()), passes=passes, cells=request.progress.get("cells", 0) + cells
        )

    def _prove(self, request: SubjectRequest) -> Mapping[str, Any]:
        """Search everything; where nothing is left, forget what finds the person, and sign the receipt."""
        known, searched = request.traces, request.progress.get("search")
        exports = self._drop_exports(request)
        if known.subjects:
            looked = residue.search(self.database, self.lake, self.home, [*known.subjects, *known.lookups])
            left = {name: count for name, count in looked.found if name not in DATABASE_FILES}
            shared = hot_residue.held(self.redis_url, [*known.subjects, *known.sessions]) if self.redis_url else 0
            if shared:
                left["the shared hot store"] = shared
            searched = {"tables": looked.tables, "files": looked.files, "bytes": looked.bytes, "found": left}
            searched["unreadable"] = list(looked.unreadable)
            request = self._note(request, search=searched)
            if left or looked.unreadable:
                return {"state": "running", "left": left, "unreadable": looked.unreadable}
            request = self._note(request, traces=Traces())
            with self.database.write() as write:
                erasure.close_orders(write, request.request_id)
        told = self._receipt(request, searched or {}, self._leave_database_files(known), exports)
        done = self.control.subjects.finish(request, told, _WARRANT)
        erasure.settle(self.database)
        return {"state": done.state, "receipt": done.receipt}

    def _leave_database_files(self, known: Traces) -> str:
        """See that deleted rows leave the database's files, too; say how."""
        needles = [*known.subjects, *known.lookups]
        erasure.settle(self.database)
        if self.database.engine.dialect.name != "sqlite":
            return "the rows' room was given back (VACUUM); a backup or replica of the database is yours to renew"
        if not needles:
            return "not looked at: the erasure was interrupted right before"
        if not self._in_database_files(needles):
            return "no byte of it is left in the file"
        try:
            erasure.settle(self.database, whole=True)
        except Exception as error:  # of the driver: the file is in use; what is left lies in no row
            return (
                f"unused pages may hold bytes of deleted rows until the file is written anew ({type(error).__name__})"
            )
        left = self._in_database_files(needles)
        return "unused pages still hold bytes of deleted rows" if left else "the file was written anew without it"

    def _in_database_files(self, needles: list[str]) -> int:
        parts = [needle.encode() for needle in needles]
        paths = [self.home / name for name in DATABASE_FILES if (self.home / name).exists()]
        return sum(residue.in_file(path, parts)[1] for path in paths)

    def _drop_exports(self, request: SubjectRequest) -> int:
        """Delete what was exported of the person and lies here still."""
        with self.database.read() as read:
            earlier = subject_requests.listed(read, subject=request.subject)
        dropped = 0
        for one in earlier:
            folder = self.home / "exports" / one.request_id
            if one.kind in EXPORTED and folder.exists():
                shutil.rmtree(folder)
                dropped += 1
        return dropped + int(request.progress.get("exports", 0))

    def _receipt(
        self, request: SubjectRequest, searched: Mapping[str, Any], files: str, exports: int
    ) -> Mapping[str, Any]:
        progress = request.progress
        rows: dict[str, int] = {}
        for each in progress.get("passes", []):
            for kind, count in each["by_kind"].items():
                rows[kind] = max(rows.get(kind, 0), count)  # a later pass finds copies of the same rows
        return {
            "outcome": "erased",
            "begun_at": iso(progress["begun_at"]),
            "erased": {
                "database": progress["tables"],
                "lake": rows,
                "cells_counted_anew": progress.get("cells", 0),
                "exports": exports,
                "refused_events": progress.get("letters", 0),
                "replicas": "state, counts, cached names and log entries, as every running replica reported",
                "event_log": f"emptied at once; at the latest every entry leaves the log after {LOG_DAYS} days",
            },
            "verified": {**searched, "database_file": files},
            "kept": {
                "ledger": "keyed commitments alone, which nothing can be tied to any more; its chain still verifies",
                "tombstones": "ids of erased decisions, signed, so that a replay can say so",
                "backups": "not reached: copies that were made of the home folder or the database are yours to renew",
                "counts": "sums of many people, counted anew without this one as far as rows are kept",
            },
            "models": {
                "note": "aggregates learned from many; nobody's rows or names are in them; the next training leaves "
                "this person out",
                "learned_before": progress.get("models", []),
            },
            "if_they_return": "a new person begins, with the region's defaults; nothing ties them to the erased one",
        }

    def _note(self, request: SubjectRequest, *, traces: Traces | None = None, **progress: Any) -> SubjectRequest:
        noted = replace(
            request,
            traces=request.traces if traces is None else traces,
            progress={**request.progress, **progress},
            updated_at=self.now(),
        )
        with self.database.write() as write:
            if subject_requests.find(write, request.request_id).state != "running":
                raise Unavailable("this erasure is no longer under way")
            return subject_requests.save(write, noted)


def _closed(log: EmbeddedLog) -> None:
    import asyncio

    asyncio.run(log.close())
