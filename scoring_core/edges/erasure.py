"""Erasure on one replica: a person's state, counts, cached names and log entries go, and the receipt says so."""

import asyncio
from collections.abc import Callable, Collection

from scoring_core.edges.caps import Rationing
from scoring_core.edges.consent import ConsentState
from scoring_core.edges.identities import Identities
from scoring_core.features.statements import statement
from storage import erasure, profiles
from storage.database import Database
from storage.eventlog.protocol import EventLog
from storage.eventlog.scrubbing import scrub
from storage.hot.caps import Holder
from storage.hot.protocol import HotStore
from storage.keys import Keys
from storage.records.consent import Purpose
from storage.records.profiles import PersonChange

SETTLED_S = 1.5
"""After so long no request is under way that still knows a person by the name that was taken away."""
ACTED_ON = (Purpose.TRACKING, Purpose.PERSONALIZATION, Purpose.PROFILING)


class Erasing:
    """Follows the orders about subjects. Everything is done twice, the second time when no request is under way any
    more that began before; only then is an order acknowledged. Until then the person counts as objecting to all.

    Parameters
    ----------
    on_done
        Told when a receipt has something new to say.
    """

    def __init__(
        self,
        *,
        database: Database,
        keys: Keys,
        log: EventLog,
        hot: HotStore,
        rationing: Rationing,
        identities: Identities,
        consent: ConsentState,
        now: Callable[[], int],
        on_done: Callable[[], None],
        settled_s: float = SETTLED_S,
    ) -> None:
        self._database = database
        self._keys = keys
        self._log = log
        self._hot = hot
        self._rationing = rationing
        self._identities = identities
        self._consent = consent
        self._now = now
        self._on_done = on_done
        self._settled_s = settled_s
        self.number = 0
        """The order up to which everything was done here."""

    async def follow(self, newest: int) -> None:
        """Do every order up to ``newest`` that was not done here yet. Raises ``Unavailable``; then nothing is
        acknowledged, and calling again goes on."""
        orders = await asyncio.to_thread(self._read)
        by_kind: dict[str, set[str]] = {}
        for order in orders:
            by_kind.setdefault(order.kind, set()).update(order.subjects)
        await self._restate(by_kind.get("restate", set()))
        if "erase" in by_kind:
            await self._erase(frozenset(by_kind["erase"]))
        self.number = max([newest, *(order.number for order in orders)])
        self._on_done()

    def _read(self) -> list[erasure.Order]:
        with self._database.read() as read:
            return erasure.orders(read, self.number)

    async def _erase(self, subjects: frozenset[str]) -> None:
        for subject in subjects:
            for purpose in ACTED_ON:
                self._consent.deny(subject, purpose)
        self._identities.forget(subjects)
        await self._wipe(subjects)
        await asyncio.sleep(self._settled_s)
        self._identities.forget(subjects)
        await self._wipe(subjects)
        for subject in subjects:
            self._consent.unsay(subject)

    async def _wipe(self, subjects: frozenset[str]) -> None:
        sessions = await asyncio.to_thread(self._scrub, subjects)
        for subject in subjects:
            await self._hot.forget(subject)
            await self._rationing.forget(Holder(subject))
        for session in sessions:
            await self._rationing.forget(Holder(session, session=True))

    def _scrub(self, subjects: frozenset[str]) -> frozenset[str]:
        """Leave nothing of the subjects in the log, tombstones in the place of decisions; return their sessions."""
        gone = scrub(self._log, subjects)
        if gone.decision_ids:
            with self._database.write() as write:
                erasure.bury(write, self._keys, gone.decision_ids, at=self._now())
        return gone.sessions

    async def _restate(self, subjects: Collection[str]) -> None:
        def look() -> list[PersonChange]:
            with self._database.read() as read:
                return [found for subject in subjects if (found := profiles.stated(read, subject)) is not None]

        for change in await asyncio.to_thread(look) if subjects else ():
            await self._hot.state_explicitly(statement(change))
