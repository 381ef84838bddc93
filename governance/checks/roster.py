"""Every check of the patrol, in the order in which pages show them."""

from governance.checks import (
    audits,
    campaigns,
    caps,
    collector,
    confidence,
    consent,
    ctr,
    disk,
    errors,
    fallbacks,
    intake,
    jobs,
    latency,
    ledger,
    planned,
    replicas,
    requests,
    schedule,
    silence,
    watched,
)
from governance.checks.check import Check

CHECKS: tuple[Check, ...] = tuple(
    room.CHECK
    for room in (
        consent,
        ledger,
        requests,
        replicas,
        errors,
        latency,
        silence,
        fallbacks,
        confidence,
        ctr,
        campaigns,
        caps,
        intake,
        collector,
        schedule,
        jobs,
        watched,
        planned,
        audits,
        disk,
    )
)
