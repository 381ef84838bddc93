"""Tells the database what this replica decides with: on every change, and every second."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from typing import Any

from scoring_core.edges.config import EngineConfig
from scoring_core.edges.instruments import Spread
from scoring_core.edges.live import Follower
from scoring_core.edges.presence import Presence
from scoring_core.edges.telemetry import Telemetry
from storage import receipts, token_uses
from storage.database import Database
from storage.errors import FairleadError
from storage.records.changes import Receipt

EVERY_S = 1.0
PATIENCE_S = 3.0

_log = logging.getLogger("fairlead.engine")


class Reporter:
    """Writes receipts on ``executor``, never on the thread that reads consent: a writer may have to wait for others.

    ``details`` adds what an operator wants to see, ``used`` gives when tokens came in since it was last asked.
    """

    def __init__(
        self,
        config: EngineConfig,
        database: Database,
        follower: Follower,
        telemetry: Telemetry,
        *,
        presence: Presence,
        executor: Executor,
        boot_id: str,
        started_at: int,
        details: Callable[[], Mapping[str, Any]],
        used: Callable[[], dict[str, int]],
        now: Callable[[], int],
        monotonic_us: Callable[[], int],
    ) -> None:
        self._config = config
        self._database = database
        self._follower = follower
        self._presence = presence
        self._executor = executor
        self._boot_id = boot_id
        self._started_at = started_at
        self._details = details
        self._take_used = used
        self._now = now
        self._monotonic_us = monotonic_us
        self._spreads: dict[receipts.PropagationKind, Spread] = {
            "policy": telemetry.policy_propagation.child(),
            "consent": telemetry.consent_propagation.child(),
        }
        self._told: dict[receipts.PropagationKind, tuple[list[int], float]] = {}
        self._used_at = -token_uses.EVERY
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to report."""
        self._task = asyncio.create_task(self._ever())

    async def stop(self) -> None:
        """Withdraw the receipt, so that no acknowledgement waits for a replica that stopped on purpose."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.get_running_loop().run_in_executor(self._executor, self._withdraw)
        except (FairleadError, TimeoutError) as error:
            _log.warning("the receipt could not be withdrawn: %s", error)

    async def _ever(self) -> None:
        loop, moved = asyncio.get_running_loop(), self._follower.moved
        while True:
            moved.clear()
            begun = self._monotonic_us()
            try:
                await loop.run_in_executor(self._executor, self._write, self._receipt(), self._gained(), self._used())
                self._follower.registered(begun)
            except FairleadError as error:
                _log.debug("no receipt: %s", error)
            try:
                async with asyncio.timeout(EVERY_S):
                    await moved.wait()
            except TimeoutError:
                continue

    def _receipt(self) -> Receipt:
        follower = self._follower
        return Receipt(
            replica=self._config.replica,
            boot_id=self._boot_id,
            url=self._config.own_url,
            revision=follower.revision,
            consent_epoch=follower.consent.epoch,
            at=self._now(),
            ready=follower.ready(),
            started_at=self._started_at,
            details=self._details(),
        )

    def _gained(self) -> dict[receipts.PropagationKind, tuple[list[int], float]]:
        return {
            kind: (list(spread.counts), spread.sum)
            for kind, spread in self._spreads.items()
            if spread.counts != self._told.get(kind, ([0] * len(spread.counts), 0.0))[0]
        }

    def _used(self) -> dict[str, int]:
        """Return when tokens came in since this was last written down; nothing in between."""
        if self._monotonic_us() - self._used_at < token_uses.EVERY:
            return {}
        self._used_at = self._monotonic_us()
        return self._take_used()

    def _write(
        self,
        receipt: Receipt,
        gained: dict[receipts.PropagationKind, tuple[list[int], float]],
        used: dict[str, int],
    ) -> None:
        self._presence.require()
        with self._database.write() as write:
            receipts.report(write, receipt)
            if used:
                token_uses.note(write, used)
            for kind, (counts, total) in gained.items():
                before, before_sum = self._told.get(kind, ([0] * len(counts), 0.0))
                receipts.add_propagation(
                    write,
                    receipt.replica,
                    receipt.boot_id,
                    kind,
                    counts=[count - old for count, old in zip(counts, before, strict=True)],
                    sum_s=total - before_sum,
                )
        self._told.update(gained)

    def _withdraw(self) -> None:
        self._presence.require()
        with self._database.write() as write:
            receipts.withdraw(write, self._config.replica, self._boot_id)
