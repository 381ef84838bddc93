"""How the installation is: replicas, receipts, heartbeats, disk."""

import shutil
from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from governance.acknowledgement import REGISTERED_WITHIN
from governance.api.answers import reply
from governance.api.context import ControlContext
from governance.api.gate import Routes
from governance.installation import kill_switch
from storage import consent, heartbeats, jobs, ledger, receipts, revisions
from storage.database import Read
from storage.records import clock
from storage.records.access import Scope


def replicas_view(read: Read, now: int) -> Mapping[str, Any]:
    """Return every replica's last receipt, and on how many the newest state is live."""
    revision, epoch = revisions.number(read), consent.epoch(read)
    known = receipts.receipts(read)
    fresh = {receipt.replica for receipt in known if now - receipt.at <= REGISTERED_WITHIN}
    live = [receipt for receipt in known if receipt.replica in fresh and receipt.revision >= revision]
    rows = [
        {**{name: getattr(receipt, name) for name in receipt.__dataclass_fields__}, "fresh": receipt.replica in fresh}
        for receipt in known
    ]
    return {
        "revision": revision,
        "consent_epoch": epoch,
        "live": len(live),
        "registered": len(fresh),
        "sentence": f"revision {revision} is live on {len(live)} of {len(fresh)} replicas",
        "replicas": rows,
        "propagation": receipts.propagation(read),
    }


def routes(context: ControlContext) -> APIRouter:
    """Return the routes."""
    on = Routes()

    @on.on("GET", "/replicas", Scope.READ)
    def replicas() -> Response:
        """List replicas with their receipts: live on k of n."""
        with context.database.read() as read:
            return reply(replicas_view(read, clock.now()))

    @on.on("GET", "/system", Scope.READ)
    def system() -> Response:
        """Show the whole installation at a glance."""
        now = clock.now()
        disk = shutil.disk_usage(context.home)
        with context.database.read() as read:
            replicas = replicas_view(read, now)
            last = ledger.entries(read, limit=1)
            beats = [
                {**{name: getattr(beat, name) for name in beat.__dataclass_fields__}, "late": beat.late(now)}
                for beat in heartbeats.heartbeats(read)
            ]
            return reply(
                {
                    "environment": context.environment,
                    "solo": context.solo,
                    "version": context.version,
                    "revision": replicas["revision"],
                    "consent_epoch": replicas["consent_epoch"],
                    "kill_switch": kill_switch(read),
                    "heartbeats": beats,
                    "replicas": replicas,
                    "jobs": Counter(job.state for job in jobs.jobs(read, limit=500)),
                    "disk": {"free": disk.free, "total": disk.total},
                    "ledger_head": {"seq": last[0].seq, "at": last[0].at, "hash": last[0].hash} if last else None,
                }
            )

    return on.router
