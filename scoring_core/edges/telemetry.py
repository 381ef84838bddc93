"""The engine's metrics: the families that an engine has, their accumulators, and how Prometheus reads them."""

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from scoring_core.edges.instruments import (
    B8,
    C20,
    CONSENT_PROPAGATION,
    EXPOSURE_COST,
    L20,
    LAG,
    OTHER,
    POLICY_PROPAGATION,
    S12,
    Counter,
    Gauge,
    Histogram,
    Instrument,
    LabelValues,
    start_at_zero,
)

ROUTES = (
    "/v1/personalize",
    "/v1/rerank",
    "/v1/events",
    "/v1/decisions/{id}",
    "/v1/decisions/{id}/explanation",
    "/v1/decisions/{id}/replay",
    "/v1/journal",
    "/v1/metrics/windows",
    "/metrics",
    "/healthz",
    "/readyz",
    "unknown",
)
POSTED = ("/v1/personalize", "/v1/rerank", "/v1/events")
STATUS_CLASSES = ("2xx", "4xx", "5xx")
OUTCOMES = (
    ("model", "ok"),
    ("fallback", "ok"),
    ("rules", "ok"),
    ("default", "ok"),
    ("default", "no_consent"),
    ("default", "no_candidate"),
    ("default", "dependency"),
    ("default", "kill_switch"),
)
"""Outcome and reason of a decision as metrics know them; the pairs that start at zero for every campaign."""
OUTCOME_CLASSES = ("ok", "fallback", "error")
STAGES = ("consent", "features", "candidates", "score", "policy", "caps", "log")
REJECTIONS = ("auth", "scope", "too_large", "timeout", "invalid", "overload")
DEGRADATIONS = ("redis", "db", "consent_stale", "policy_stale", "audit", "overload")
RECEIVED = ("accepted", "duplicate", "rejected", "dead_letter")
CHECKS = ("granted", "denied", "unknown", "stale")
NO_CAMPAIGN = "none"
CAMPAIGN_LIMIT = 200
CONFIDENCE_LIMIT = 60
"""A confidence histogram has 23 series per campaign; this keeps a replica below 5,000."""


def package_version() -> str:
    """Return the installed version, or ``unknown``."""
    try:
        return version("fairlead")
    except PackageNotFoundError:
        return "unknown"


class Telemetry:
    """Every family of one replica. Labels are closed sets, bounded by the families."""

    def __init__(self, *, replica: str, boot_id: str, wall: Callable[[], int], started_at: int) -> None:
        self.campaigns: frozenset[str] = frozenset()
        """The campaigns that have a label of their own."""
        self.families: dict[str, Instrument] = {}
        self.overflow = self._counter("fairlead_label_overflow_total", "Label values put under other.", ("label",))
        start_at_zero(self.overflow, ("campaign", "type", "policy"))

        self.decisions = self._counter(
            "fairlead_decision_requests_total", "Decisions answered.", ("campaign", "outcome", "reason")
        )
        self.decision_seconds = self._histogram(
            "fairlead_decision_duration_seconds", "From request to answer.", L20, ("outcome_class",)
        )
        self.stage_seconds = self._histogram(
            "fairlead_decision_stage_duration_seconds", "Time per stage of a decision.", S12, ("stage",)
        )
        self.confidence = self._histogram(
            "fairlead_decision_confidence_ratio", "Calibrated confidence.", C20, ("campaign",), limit=CONFIDENCE_LIMIT
        )
        self.exploration = self._counter(
            "fairlead_exploration_decisions_total", "Decisions by exploration.", ("campaign", "mode")
        )
        self.records = self._counter(
            "fairlead_decision_records_total", "Decision records taken by the log, or lost.", ("result",)
        )

        self.http_requests = self._counter(
            "fairlead_http_requests_total", "HTTP requests answered.", ("route", "method", "status_class")
        )
        self.http_seconds = self._histogram(
            "fairlead_http_request_duration_seconds", "HTTP request to answer.", L20, ("route",)
        )
        self.http_bytes = self._histogram("fairlead_http_request_size_bytes", "Size of bodies.", B8, ("route",))
        self.rejections = self._counter("fairlead_http_rejections_total", "Requests refused.", ("reason",))

        self.cache = self._counter("fairlead_cache_requests_total", "Cache look-ups.", ("cache", "result"))
        self.evictions = self._counter("fairlead_cache_evictions_total", "Entries forgotten.", ("cache", "cause"))
        self.candidates = self._counter(
            "fairlead_candidates_total", "Candidates that a source brought first, and those shown.", ("source", "step")
        )
        self.dependencies = self._counter(
            "fairlead_dependency_requests_total", "Calls of other services.", ("dependency", "result")
        )
        self.dependency_seconds = self._histogram(
            "fairlead_dependency_duration_seconds", "Calls of other services.", S12, ("dependency",)
        )
        self.loop_lag = self._histogram("fairlead_event_loop_lag_seconds", "How late the event loop wakes.", S12)

        self.events = self._counter("fairlead_events_received_total", "Events received.", ("type", "result"), limit=200)
        self.durable = self._counter("fairlead_events_durable_total", "Events made durable.", ("type",), limit=50)
        self.ingest_lag = self._histogram(
            "fairlead_event_ingest_lag_seconds", "From event time to intake.", LAG, ("type",), limit=50
        )
        self.item_epochs = self._counter("fairlead_item_epochs_total", "Item feature epochs published.", ("result",))

        self.policy_evaluations = self._counter(
            "fairlead_policy_evaluations_total", "Policy evaluations.", ("policy", "result"), limit=300
        )
        self.cap_checks = self._counter(
            "fairlead_cap_checks_total", "Decisions that a cap concerned.", ("cap", "result"), limit=300
        )
        self.cap_overserves = self._counter(
            "fairlead_cap_overserves_total", "Decided impressions above a cap; must stay 0.", ("cap",), limit=100
        )
        self.exposure_cost = self._histogram(
            "fairlead_exposure_cost_ratio", "NDCG that fair exposure gave up.", EXPOSURE_COST, ("policy",)
        )
        self.consent_checks = self._counter("fairlead_consent_checks_total", "Consent checks.", ("result",))
        self.consent_violations = self._counter(
            "fairlead_consent_violations_total", "Personalized without consent; must stay 0.", ("detector",)
        )
        self.consent_changes = self._counter(
            "fairlead_consent_changes_total", "Consent changes made here.", ("purpose", "action")
        )
        self.gpc = self._counter("fairlead_gpc_requests_total", "Requests with Sec-GPC.", ("honoured",))
        self.policy_propagation = self._histogram(
            "fairlead_policy_propagation_seconds", "From a revision's commit to its use here.", POLICY_PROPAGATION
        )
        self.consent_propagation = self._histogram(
            "fairlead_consent_propagation_seconds", "From a consent commit to its use here.", CONSENT_PROPAGATION
        )
        self._start_at_zero()

        self.gauge("fairlead_build_info", "The build.", ("version", "git_sha", "python")).read = lambda: {
            (package_version(), "unknown", platform.python_version()): 1.0
        }
        self.gauge("fairlead_instance_info", "This process.", ("instance_id", "boot_id", "bucket_layout")).read = (
            lambda: {(replica, boot_id, "L20"): 1.0}
        )
        self.gauge("fairlead_process_start_time_seconds", "When this process started.").read = lambda: {
            (): started_at / 1e6
        }
        self.gauge("fairlead_clock_seconds", "The engine's wall clock.").read = lambda: {(): wall() / 1e6}

        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(ProcessCollector(registry=None))
        self._registry.register(_Exposition(self.families))

    def gauge(self, name: str, text: str, labels: LabelValues = ()) -> Gauge:
        """Declare a gauge; its owner sets ``read``."""
        found = self.families.setdefault(name, Gauge(name, text, labels))
        if not isinstance(found, Gauge):
            raise TypeError(f"{name} is no gauge")
        return found

    def campaign(self, key: str | None) -> str:
        """Return the label of a campaign: its key while it is among the known ones, else ``other``."""
        if key is None:
            return NO_CAMPAIGN
        if key in self.campaigns:
            return key
        self.overflow.child("campaign").add()
        return OTHER

    def know_campaigns(self, keys: Iterable[str]) -> None:
        """Give the first 200 keys labels of their own, and start their counts at zero."""
        known = tuple(keys)[:CAMPAIGN_LIMIT]
        for key in known:
            for outcome, reason in OUTCOMES:
                self.decisions.child(key, outcome, reason)
            for mode in ("explore", "exploit"):
                self.exploration.child(key, mode)
        self.campaigns = frozenset(known)

    def know_event_types(self, types: Iterable[str]) -> None:
        """Start the counts of the declared event types at zero."""
        for name in types:
            start_at_zero(self.events, (name,), RECEIVED)
            self.durable.child(name)
            self.ingest_lag.child(name)

    def expose(self, accept: str) -> tuple[bytes, str]:
        """Return the exposition and its content type, as the ``Accept`` header asks: Prometheus text or OpenMetrics."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def _start_at_zero(self) -> None:
        self.know_campaigns(())
        for outcome, reason in OUTCOMES:
            self.decisions.child(NO_CAMPAIGN, outcome, reason)
        start_at_zero(self.decision_seconds, OUTCOME_CLASSES)
        start_at_zero(self.stage_seconds, STAGES)
        start_at_zero(self.records, ("taken", "lost"))
        start_at_zero(self.http_requests, POSTED, ("POST",), STATUS_CLASSES)
        start_at_zero(self.http_requests, ROUTES[len(POSTED) :], ("GET",), STATUS_CLASSES)
        start_at_zero(self.http_seconds, ROUTES)
        start_at_zero(self.http_bytes, POSTED)
        start_at_zero(self.rejections, REJECTIONS)
        start_at_zero(self.cache, ("profile", "pseudonym"), ("hit", "miss", "error"))
        start_at_zero(self.cache, ("candidate",), ("hit", "miss"))
        start_at_zero(self.evictions, ("candidate",), ("size",))
        start_at_zero(self.candidates, ("caller", "catalogue", "popular"), ("brought", "shown"))
        start_at_zero(self.dependencies, ("redis", "db", "model"), ("ok", "error", "timeout"))
        start_at_zero(self.dependency_seconds, ("redis", "db", "model"))
        start_at_zero(self.loop_lag)
        start_at_zero(self.events, (OTHER,), ("dead_letter",))
        start_at_zero(self.item_epochs, ("published", "lost"))
        start_at_zero(self.consent_checks, CHECKS)
        start_at_zero(self.consent_violations, ("online",))
        start_at_zero(self.consent_changes, ("personalization",), ("gpc",))
        start_at_zero(self.gpc, ("true", "false"))
        start_at_zero(self.policy_propagation)
        start_at_zero(self.consent_propagation)

    def _counter(self, name: str, text: str, labels: LabelValues = (), *, limit: int = 2_000) -> Counter:
        made = Counter(name, text, labels, limit=limit, overflow=self._overflowed)
        self.families[name] = made
        return made

    def _histogram(
        self, name: str, text: str, edges: tuple[float, ...], labels: LabelValues = (), *, limit: int = 100
    ) -> Histogram:
        made = Histogram(name, text, edges, labels, limit=limit, overflow=self._overflowed)
        self.families[name] = made
        return made

    def _overflowed(self, label: str) -> None:
        self.overflow.child(label).add()


class _Exposition(Collector):
    """Turns the accumulators into what prometheus_client encodes."""

    def __init__(self, families: Mapping[str, Instrument]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        for family in tuple(self._families.values()):
            match family:
                case Counter():
                    counter = CounterMetricFamily(family.name, family.text, labels=family.labels)
                    for labels, count in tuple(family.children.items()):
                        counter.add_metric(labels, count.value)
                    yield counter
                case Histogram():
                    yield _histogram(family)
                case Gauge():
                    gauge = GaugeMetricFamily(family.name, family.text, labels=family.labels)
                    for labels, value in family.read().items():
                        gauge.add_metric(labels, value)
                    yield gauge


def _histogram(family: Histogram) -> HistogramMetricFamily:
    made = HistogramMetricFamily(family.name, family.text, labels=family.labels)
    for labels, spread in tuple(family.children.items()):
        total = 0
        buckets: list[tuple[str, float]] = []
        for edge, count in zip((*map(str, family.edges), "+Inf"), spread.counts, strict=True):
            total += count
            buckets.append((edge, total))
        made.add_metric(labels, buckets, spread.sum)
    return made
