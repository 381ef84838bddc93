"""One round: the minutes of indicators, what is bad now, what fires, what is over, and who is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import structlog
import uuid_utils

from governance.alerts import life
from governance.alerts.destinations import Destination
from governance.alerts.indicators import INDICATORS, gather, keep, top
from governance.alerts.objectives import standings
from governance.alerts.readings import Reading, readings
from governance.checks.roster import CHECKS
from storage import alerts, deliveries, verdicts
from storage.database import Database, Read, Write
from storage.records.alerts import Alert, Delivery, Occasion, Silence
from storage.records.clock import DAY, HOUR

log = structlog.get_logger(__name__)

KEPT = 400 * DAY
EVERY_S = 30.0
LONGEST = 25 * HOUR
"""No silence lasts longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a round did."""

    fired: tuple[Alert, ...]
    resolved: tuple[Alert, ...]


def enqueue(
    write: Write, alert: Alert, occasion: Occasion, destinations: Sequence[Destination], *, now: int
) -> list[Delivery]:
    """Write what is to be sent, in the transaction of what it tells."""
    made = [
        Delivery(
            delivery_id=str(uuid_utils.uuid7()),
            alert_id=alert.alert_id,
            destination=destination.name,
            occasion=occasion,
            created_at=now,
            next_at=now,
        )
        for destination in destinations
        if destination.wants(alert.audience)
    ]
    for each in made:
        deliveries.save(write, each)
    return made


def judge(
    write: Write,
    found: Sequence[Reading],
    destinations: Sequence[Destination],
    *,
    now: int,
    mine: Callable[[str], bool],
) -> Told:
    """Let alerts fire and end by what is found; ``mine`` tells the fingerprints that this caller answers for."""
    write.next_number("alerts")  # its row is locked until commit: two instances never open the same one twice
    by_print = {one.fingerprint: one for one in found}
    opened = {one.fingerprint: one for one in alerts.unresolved(write) if not one.test and mine(one.fingerprint)}
    ended = {one.fingerprint: one for one in reversed(alerts.resolved_since(write, now - life.BACK)) if not one.test}
    fired, resolved = [], []
    for key, one in by_print.items():
        if one.state != "bad":
            continue
        if key in opened:
            alerts.save(write, _stay(write, opened[key], one, destinations, now))
        else:
            fired.append(_fire(write, one, ended.get(key), now))
    for key, alert in opened.items():
        reading = by_print.get(key)
        if reading is not None and reading.state == "bad":
            continue
        if why := life.over(alert, reading, now):
            resolved.append(life.closed(alert, why, now))
            alerts.save(write, resolved[-1])
    for alert in resolved:
        if any(one.occasion == "fired" for one in deliveries.of_alerts(write, [alert.alert_id])):
            enqueue(write, alert, "resolved", destinations, now=now)
    _announce(write, destinations, now=now, mine=mine)
    for alert in (*fired, *resolved):
        log.info("an alert", alert=alert.fingerprint, state="resolved" if alert.resolved_at else "firing")
    return Told(fired=tuple(fired), resolved=tuple(resolved))


def _stay(write: Write, alert: Alert, reading: Reading, destinations: Sequence[Destination], now: int) -> Alert:
    """Return an alert as it is now; one that has become graver is told again."""
    after = life.stays(alert, reading, now)
    silence = alerts.silences(write, now=now).get(alert.fingerprint)
    if life.graver(alert, after) and after.state(silence, now) == "firing":
        enqueue(write, after, "fired", destinations, now=now)
    return after


def _fire(write: Write, reading: Reading, before: Alert | None, now: int) -> Alert:
    if before is not None and before.resolved_by == life.SYSTEM:
        alert = life.again(before, reading, now)
    else:
        where = INDICATORS.get(reading.indicator)
        start, end = reading.span
        differs = top(write, where, start=start, end=end) if where and end > start else ""
        alert = life.begin(reading, alert_id=str(uuid_utils.uuid7()), top=differs, now=now)
    alerts.save(write, alert)
    return alert


def _announce(write: Write, destinations: Sequence[Destination], *, now: int, mine: Callable[[str], bool]) -> None:
    """Send what fires and nobody was told of: just fired, or silenced until now."""
    silences = alerts.silences(write, now=now)
    lapsed = _lapsed(alerts.silenced_since(write, now - LONGEST), now)
    open_now = [one for one in alerts.unresolved(write) if not one.test and mine(one.fingerprint)]
    sent: dict[str, int] = {}
    for each in deliveries.of_alerts(write, [one.alert_id for one in open_now]):
        if each.occasion == "fired":
            sent[each.alert_id] = max(sent.get(each.alert_id, 0), each.created_at)
        elif each.occasion == "resolved":
            sent.pop(each.alert_id, None)
    for alert in open_now:
        if alert.state(silences.get(alert.fingerprint), now) != "firing":
            continue
        if alert.alert_id not in sent or sent[alert.alert_id] < lapsed.get(alert.fingerprint, 0):
            enqueue(write, alert, "fired", destinations, now=now)


def _lapsed(silences: Sequence[Silence], now: int) -> Mapping[str, int]:
    ends: dict[str, int] = {}
    for one in silences:
        end = one.until if one.lifted_at is None else one.lifted_at
        if end <= now:
            ends[one.fingerprint] = max(ends.get(one.fingerprint, 0), end)
    return ends


def look(
    database: Database,
    destinations: Sequence[Destination] = (),
    *,
    now: int,
    guard: Callable[[Read], None] = lambda _read: None,
) -> Told:
    """Go one round. ``guard`` is asked within the transaction and raises to stop it."""
    with database.read() as read:
        batch = gather(read, now=now)
    if batch is not None:
        with database.write() as write:
            guard(write)
            keep(write, batch, now=now)
    with database.read() as read:
        told = verdicts.latest(read)
        found = readings(told, {check.name: check.every_s for check in CHECKS}, standings(read, now=now), now=now)
    with database.write() as write:
        guard(write)
        done = judge(write, found, destinations, now=now, mine=lambda key: key.startswith(("check:", "slo:")))
        alerts.forget(write, before=now - KEPT)
        deliveries.forget(write, before=now - KEPT)
    return done
