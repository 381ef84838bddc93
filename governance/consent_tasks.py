"""Two eyes on opt-outs by the clock: the probe every quarter of a minute, the records every five."""

import logging
from collections.abc import Callable
from pathlib import Path

import httpx

from governance.consent import Consents
from governance.consent_probe import PATIENCE_S, Probe
from governance.consent_watch import broken_opt_outs
from storage.database import Database, Read
from storage.keys import read_token
from storage.lake import Lake
from storage.records.tasks import Task

_log = logging.getLogger("fairlead.control")


def consent_tasks(
    database: Database,
    lake: Lake,
    home: Path,
    consents: Consents,
    fence: Callable[[int], Callable[[Read], None]],
    *,
    now: Callable[[], int],
) -> tuple[Task, ...]:
    """Return the tasks; ``fence`` makes of the leader's token what raises once another instance leads."""
    client = httpx.Client(timeout=PATIENCE_S, trust_env=False)

    def probe(token: int) -> None:
        with database.read() as read:
            fence(token)(read)
        shown = read_token(home, "probe") or ""
        asking = Probe(database=database, consents=consents, token=shown, now=now, client=client)
        for one in asking.look():
            _log.error("%s personalized the probe, which has opted out: decision %s", one.replica, one.decision_id)

    def records(token: int) -> None:
        for one in broken_opt_outs(database, lake, now=now(), fence=token):
            _log.error("%s personalized who had opted out: decision %s", one.replica, one.decision_id)

    return (
        Task(name="consent.probe", every_s=15.0, run=probe),
        Task(name="consent.watch", every_s=300.0, run=records),
    )
