"""How the installation is: replicas, receipts, heartbeats, disk."""

import shutil
from collections import Counter
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from governance.acknowledgement import REGISTERED_WITHIN
from governance.api.answers import reply, warrant
from governance.api.bodies import Requeue
from governance.api.context import ControlContext
from governance.api.engines import Engines
from governance.api.gate import Routes
from governance.dead_letters import Requeued
from governance.installation import kill_switch
from storage import consent, heartbeats, jobs, ledger, receipts, revisions
from storage.database import Read
from storage.errors import Unavailable
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
    engines = Engines(context.database, context.page_token, context.client)

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
                    "lake_bytes": context.lake_bytes,
                    "ledger_head": {"seq": last[0].seq, "at": last[0].at, "hash": last[0].hash} if last else None,
                }
            )

    @on.on("GET", "/system/doctor", Scope.METRICS_READ)
    def doctor() -> Response:
        """Examine the installation now, as `fairlead doctor` does: what is well, what is not, each with its remedy."""
        if context.examine is None:
            raise Unavailable("this control process has no doctor with it; `fairlead doctor` says the same")
        return reply({"at": clock.now(), "findings": context.examine()})

    @on.on("POST", "/system/dead-letters/requeue", Scope.POLICY_APPLY, answer=Requeued)
    def requeue(request: Request, body: Requeue) -> Response:
        """Send refused events of a code to an engine again, without the people whom they named: nothing of them is
        kept. What is refused anew stands in the list again."""
        order = warrant(request, body.reason)
        return reply(
            context.control.dead_letters.requeue(body.code, lambda events: engines.send("/v1/events", events), order)
        )

    return on.router
