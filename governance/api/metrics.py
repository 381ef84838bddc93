"""Control's own metrics as Prometheus reads them: checks, ledger, scheduled work."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from governance.patrol import Beat
from storage import consent_probes, drift, findings, heartbeats, ledger, verdicts
from storage.database import Read
from storage.records.clock import SECOND
from storage.records.findings import Verdict

PSI, MOST_FEATURES = frozenset({"psi_deciles", "psi_levels", "psi"}), 100
SHOWN: Mapping[Verdict, float] = {"pass": 0.0, "unknown": 1.0, "warn": 1.0, "fail": 2.0}
VALUES: Mapping[Verdict, float] = {"unknown": 0.0, "pass": 1.0, "warn": 2.0, "fail": 3.0}


class _Control(Collector):
    """Reads what control knows at the moment of asking."""

    def __init__(self, beat: Beat, now: int) -> None:
        self._beat = beat
        self._now = now

    def collect(self) -> Iterator[Metric]:
        with self._beat.database.read() as read:
            yield from _checks(read)
            yield from _schedule(read)
            yield from _consent(read)
            yield from _drift(read)
            yield from _fairness(read)
            yield from self._ledger(read)

    def _ledger(self, read: Read) -> Iterator[Metric]:
        last = next(iter(ledger.entries(read, limit=1)), None)
        if last is None:
            return
        yield GaugeMetricFamily("fairlead_ledger_chain_seq", "The ledger's last entry.", value=float(last.seq))
        head = self._beat.anchors.last()
        if head is not None:
            age = (self._now - head.at) / SECOND
            yield GaugeMetricFamily("fairlead_ledger_anchor_age_seconds", "Since the last anchor.", value=age)
            text = "Entries that no anchor confirms yet."
            yield GaugeMetricFamily("fairlead_ledger_unanchored_entries", text, value=float(last.seq - head.seq))


def _checks(read: Read) -> Iterator[Metric]:
    said = GaugeMetricFamily(
        "fairlead_check_verdict", "What a check said last: 0 unknown, 1 pass, 2 warn, 3 fail.", labels=("check",)
    )
    seen = GaugeMetricFamily("fairlead_check_seen_timestamp_seconds", "When a check looked last.", labels=("check",))
    for name, told in sorted(verdicts.latest(read).items()):
        said.add_metric((name,), VALUES[told.verdict])
        seen.add_metric((name,), told.seen / SECOND)
    yield said
    yield seen


def _consent(read: Read) -> Iterator[Metric]:
    violated = CounterMetricFamily(
        "fairlead_consent_violations_total", "Personalized without consent; must stay 0.", labels=("detector",)
    )
    for detector, count in consent_probes.totals(read).items():
        violated.add_metric((detector,), float(count))
    yield violated


def _drift(read: Read) -> Iterator[Metric]:
    """Yield what the newest window of each kind said, the hundred largest changes; no window, no series."""
    psi = GaugeMetricFamily("fairlead_drift_psi", "Newest change by PSI.", labels=("surface", "origin", "feature"))
    flagged = GaugeMetricFamily(
        "fairlead_drift_features_flagged", "Red features of the newest window.", labels=("surface", "origin", "family")
    )
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
    said = GaugeMetricFamily(
        "fairlead_fairness_verdict", "A plan's newest audit: 0 none shown, 1 inconclusive, 2 shown.", labels=("audit",)
    )
    for each in findings.latest_by_plan(read):
        said.add_metric((each.plan or "on demand",), SHOWN[each.verdict])
    yield said


def _schedule(read: Read) -> Iterator[Metric]:
    good = GaugeMetricFamily(
        "fairlead_job_last_success_timestamp_seconds", "When scheduled work last succeeded.", labels=("job",)
    )
    for beat in heartbeats.heartbeats(read):
        if beat.last_ok is not None:
            good.add_metric((beat.name,), beat.last_ok / SECOND)
    yield good


def expose(beat: Beat, now: int, accept: str) -> tuple[bytes, str]:
    """Return the exposition and its content type, as the ``Accept`` header asks."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Control(beat, now))
    encode, media = choose_encoder(accept)
    return encode(registry), media
