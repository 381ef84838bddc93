"""Sec-GPC: an objection that is stored for the profile, while the request that carried it is already answered."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor

from scoring_core.edges.consent import ConsentState
from scoring_core.edges.telemetry import Telemetry
from storage import consent, ledger
from storage.database import Database
from storage.errors import FairleadError
from storage.keys import Keys
from storage.records.consent import Purpose

REASON = "The browser sent Sec-GPC: 1."
SOURCE = "gpc"
LIMIT = 100_000
BATCH = 200
RETRY_S = 1.0
PATIENCE_S = 3.0

_log = logging.getLogger("fairlead.engine")


class Objections:
    """Writes personalization opt-outs for subjects whose browser objects: one consent row and one ledger entry each.

    ``resolve`` turns raw subjects into pseudonyms; it blocks, on ``executor``. An objection holds on this replica at
    once; while the database is away it waits, and is written when it is back.
    """

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        resolve: Callable[[Sequence[str]], Mapping[str, str]],
        executor: Executor,
        state: ConsentState,
        telemetry: Telemetry,
        actor: str,
        now: Callable[[], int],
    ) -> None:
        self._database = database
        self._keys = keys
        self._resolve = resolve
        self._executor = executor
        self._state = state
        self._actor = actor
        self._now = now
        self._waiting: dict[str, None] = {}
        self._work: asyncio.Task[None] | None = None
        self._written = telemetry.consent_changes.child(Purpose.PERSONALIZATION.value, "gpc")

    def note(self, raw: str, subject: str | None) -> bool:
        """Take an objection of a raw subject; ``subject`` is the pseudonym where it is known. Tell whether it is kept:
        beyond ``LIMIT`` that wait for the database, those of unknown subjects are not."""
        if subject is not None:
            if self._state.denied(subject, Purpose.PERSONALIZATION):
                return True
            self._state.deny(subject, Purpose.PERSONALIZATION)
        if len(self._waiting) >= LIMIT and raw not in self._waiting:
            return False
        self._waiting[raw] = None
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._drain())
        return True

    def waiting(self) -> int:
        """Return how many objections are not written yet."""
        return len(self._waiting)

    async def close(self) -> None:
        """Write what waits, once; say how much could not be written."""
        if self._work is not None:
            self._work.cancel()
            await asyncio.gather(self._work, return_exceptions=True)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await self._write_all()
        except (FairleadError, TimeoutError) as error:
            _log.error("%d opt-outs of Sec-GPC could not be stored: %s", len(self._waiting), error)

    async def _drain(self) -> None:
        while self._waiting:
            try:
                await self._write_all()
            except FairleadError:
                await asyncio.sleep(RETRY_S)

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch = list(self._waiting)[:BATCH]
            self._written.add(await loop.run_in_executor(self._executor, self._store, batch))
            for raw in batch:
                self._waiting.pop(raw, None)

    def _store(self, raws: Sequence[str]) -> int:
        pseudonyms = self._resolve(raws)
        at = self._now()
        stored = 0
        with self._database.write() as write:
            for subject in pseudonyms.values():
                said = [each for each in consent.history(write, subject) if each.purpose is Purpose.PERSONALIZATION]
                if said and said[-1].state == "denied":
                    continue
                change = consent.append(
                    write,
                    subject=subject,
                    purpose=Purpose.PERSONALIZATION,
                    state="denied",
                    reason=REASON,
                    source=SOURCE,
                    actor=self._actor,
                    at=at,
                )
                ledger.append(
                    write,
                    self._keys,
                    at=at,
                    actor=self._actor,
                    action="consent.opt_out",
                    object_kind="subject",
                    object_key=ledger.commitment(self._keys, subject),
                    before=None,
                    after={
                        "purpose": Purpose.PERSONALIZATION.value,
                        "state": "denied",
                        "epoch": change.epoch,
                        "source": SOURCE,
                    },
                    reason=REASON,
                )
                stored += 1
        return stored
