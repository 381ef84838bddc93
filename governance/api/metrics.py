"""Control's own metrics as Prometheus reads them: checks, ledger, scheduled work."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from governance.api.families import FAMILIES
from governance.patrol import Beat
from storage import consent_probes, drift, findings, heartbeats, jobs, leases, ledger, scrapes, verdicts
from storage.database import Read
from storage.records.clock import SECOND
from storage.records.findings import Verdict
from storage.records.tasks import SCHEDULE_LEASE

PSI, MOST_FEATURES = frozenset({"psi_deciles", "psi_levels", "psi"}), 100
SHOWN: Mapping[Verdict, float] = {"pass": 0.0, "unknown": 1.0, "warn": 1.0, "fail": 2.0}
VALUES: Mapping[Verdict, float] = {"unknown": 0.0, "pass": 1.0, "warn": 2.0, "fail": 3.0}


def _made(name: str) -> GaugeMetricFamily | CounterMetricFamily:
    family = FAMILIES[f"fairlead_{name}"]
    made = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    return made(family.name, family.text, labels=family.labels)


def _one(name: str, value: float) -> Metric:
    made = _made(name)
    made.add_metric((), value)
    return made


class _Control(Collector):
    """Reads what control knows at the moment of asking."""

    def __init__(self, beat: Beat, now: int) -> None:
        self._beat = beat
        self._now = now

    def collect(self) -> Iterator[Metric]:
        with self._beat.database.read() as read:
            yield from _checks(read)
            yield from _schedule(read, self._now)
            yield from _jobs(read, self._now)
            yield from _collector(read)
            yield from _consent(read)
            yield from _drift(read)
            yield from _fairness(read)
            yield from self._ledger(read)

    def _ledger(self, read: Read) -> Iterator[Metric]:
        last = next(iter(ledger.entries(read, limit=1)), None)
        if last is None:
            return
        yield _one("ledger_chain_seq", float(last.seq))
        head = self._beat.anchors.last()
        if head is not None:
            yield _one("ledger_anchor_age_seconds", (self._now - head.at) / SECOND)
            yield _one("ledger_unanchored_entries", float(last.seq - head.seq))


def _checks(read: Read) -> Iterator[Metric]:
    said, seen = _made("check_verdict"), _made("check_seen_timestamp_seconds")
    for name, told in sorted(verdicts.latest(read).items()):
        said.add_metric((name,), VALUES[told.verdict])
        seen.add_metric((name,), told.seen / SECOND)
    yield said
    yield seen


def _schedule(read: Read, now: int) -> Iterator[Metric]:
    """Yield who leads and when each task last succeeded. The label is ``task``: ``job`` is Prometheus's own word."""
    good, period = _made("job_last_success_timestamp_seconds"), _made("job_period_seconds")
    for beat in heartbeats.heartbeats(read):
        period.add_metric((beat.name,), beat.every_s)
        if beat.last_ok is not None:
            good.add_metric((beat.name,), beat.last_ok / SECOND)
    yield good
    yield period
    yield _one("schedule_leader", float(leases.held(read, SCHEDULE_LEASE, now=now)))


def _jobs(read: Read, now: int) -> Iterator[Metric]:
    waiting = _made("jobs")
    for state in ("queued", "running"):
        waiting.add_metric((state,), float(jobs.count(read, state=state)))
    yield waiting
    oldest = jobs.oldest_queued(read)
    yield _one("job_oldest_waiting_seconds", 0.0 if oldest is None else max(0.0, (now - oldest) / SECOND))


def _collector(read: Read) -> Iterator[Metric]:
    read_at = _made("collector_last_success_timestamp_seconds")
    for (replica, what), scrape in sorted(scrapes.scrapes(read).items()):
        if scrape.last_ok is not None:
            read_at.add_metric((replica, what), scrape.last_ok / SECOND)
    yield read_at


def _consent(read: Read) -> Iterator[Metric]:
    violated = _made("consent_violations_total")
    for detector, count in consent_probes.totals(read).items():
        violated.add_metric((detector,), float(count))
    yield violated


def _drift(read: Read) -> Iterator[Metric]:
    """Yield what the newest window of each kind said, the hundred largest changes; no window, no series."""
    psi, flagged = _made("drift_psi"), _made("drift_features_flagged")
    found = []
    for look in drift.newest_looks(read):
        flagged.add_metric((look.surface, look.origin, look.family), float(sum(row["red"] for row in look.features)))
        rows = (row for row in look.features if row["method"] in PSI)
        found += [(float(row["effect"]), look.surface, look.origin, row["feature"]) for row in rows]
    for effect, *labels in sorted(found, reverse=True)[:MOST_FEATURES]:
        psi.add_metric(tuple(labels), effect)
    yield psi
    yield flagged


def _fairness(read: Read) -> Iterator[Metric]:
    said = _made("fairness_verdict")
    for each in findings.latest_by_plan(read):
        said.add_metric((each.plan or "on demand",), SHOWN[each.verdict])
    yield said


def expose(beat: Beat, now: int, accept: str) -> tuple[bytes, str]:
    """Return the exposition and its content type, as the ``Accept`` header asks."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Control(beat, now))
    encode, media = choose_encoder(accept)
    return encode(registry), media
