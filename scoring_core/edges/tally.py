"""Counts a decision: one look-up of bound accumulators, a handful of additions."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from scoring_core.edges.instruments import Count, Spread
from scoring_core.edges.telemetry import STAGES, Telemetry
from storage.records.decisions import Decision

REASONS = {
    "kill_switch": "kill_switch",
    "gpc": "no_consent",
    "no_consent": "no_consent",
    "anonymous": "no_consent",
    "consent_stale": "dependency",
    "no_candidates": "no_candidate",
    "model_missing": "dependency",
    "scorer_failed": "dependency",
}
"""What a record's reason is called in the metrics; every other one is ``ok``."""
POLICY = "policy"
"""What the policy asked for: one stage in the metrics, made of every stage of a record that is none of the others."""
CHECKS = {
    "no_consent": "denied",
    "gpc": "denied",
    "anonymous": "unknown",
    "consent_stale": "stale",
    "kill_switch": None,
}
"""What the gate found, by its reason; with every other reason it had agreed, and the kill switch asks nobody."""


@dataclass(frozen=True, slots=True)
class _Bound:
    """The accumulators of one kind of decision."""

    decisions: Count
    check: Count | None
    evaluation: Count | None


class Tally:
    """Counts the decisions of one replica."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._bound: dict[tuple[str | None, str, str, str | None], _Bound] = {}
        self._known = telemetry.campaigns
        self._seconds = {
            outcome: telemetry.decision_seconds.child("fallback" if outcome == "fallback" else "ok")
            for outcome in ("model", "fallback", "rules", "default")
        }
        self._failed_seconds = telemetry.decision_seconds.child("error")
        self._stages = {stage: telemetry.stage_seconds.child(stage) for stage in STAGES if stage != POLICY}
        self._policy = telemetry.stage_seconds.child(POLICY)
        self._confidence: dict[str | None, Spread] = {}
        self._sources: dict[str, tuple[Count, Count]] = {}
        self._modes: dict[tuple[str | None, bool], Count] = {}
        self._violations = telemetry.consent_violations.child("online")

    def decided(self, record: Decision, seconds: float) -> None:
        """Count one decision and its stages."""
        if self._known is not self._telemetry.campaigns:
            self._forget()
        campaign, served_by = record.campaign, record.served_by
        key = (campaign, served_by, record.reason, record.policy)
        bound = self._bound.get(key) or self._bind(key)
        bound.decisions.value += 1
        if bound.check is not None:
            bound.check.value += 1
        if bound.evaluation is not None:
            bound.evaluation.value += 1
        self._seconds[served_by].observe(seconds)
        self._stages_of(record.stage_us)
        if record.confidence is not None:
            self._confidence_of(campaign).observe(record.confidence)
        if record.sources:
            self._sources_of(record)
        if record.rerank_cost is not None and record.policy is not None:
            self._telemetry.exposure_cost.child(record.policy).observe(record.rerank_cost)
        if served_by != "default":
            if not record.consent or not record.consent["personalization"]:
                self._violations.value += 1
            explored = any(reasons and reasons[0] == "explored" for reasons in record.reasons)
            mode = self._modes.get((campaign, explored)) or self._mode(campaign, explored=explored)
            mode.value += 1

    def _sources_of(self, record: Decision) -> None:
        """Count per source what it brought, and what of that was shown: candidates stand source by source."""
        first, shown = 0, sorted(memoryview(record.ranking).cast("H"))
        for source, count in record.sources.items():
            after = first + count
            both = self._sources.get(source)
            if both is None:
                candidates = self._telemetry.candidates
                both = self._sources[source] = (candidates.child(source, "brought"), candidates.child(source, "shown"))
            both[0].value += count
            both[1].value += bisect_left(shown, after) - bisect_left(shown, first)
            first = after

    def _stages_of(self, spent: Mapping[str, int]) -> None:
        policy = 0
        for stage, micros in spent.items():
            spread = self._stages.get(stage)
            if spread is None:
                policy += micros
            else:
                spread.observe(micros * 1e-6)
        self._policy.observe(policy * 1e-6)

    def failed(self, campaign: str | None, seconds: float) -> None:
        """Count a decision that ended in an error."""
        self._telemetry.decisions.child(self._telemetry.campaign(campaign), "error", "dependency").add()
        self._failed_seconds.observe(seconds)

    def _bind(self, key: tuple[str | None, str, str, str | None]) -> _Bound:
        campaign, served_by, reason, policy = key
        telemetry, label = self._telemetry, self._telemetry.campaign(campaign)
        check = CHECKS.get(reason, "granted")
        bound = _Bound(
            decisions=telemetry.decisions.child(label, served_by, REASONS.get(reason, "ok")),
            check=telemetry.consent_checks.child(check) if check else None,
            evaluation=telemetry.policy_evaluations.child(policy, "allow") if policy else None,
        )
        if label == campaign or campaign is None:
            self._bound[key] = bound
        return bound

    def _confidence_of(self, campaign: str | None) -> Spread:
        found = self._confidence.get(campaign)
        if found is None:
            found = self._telemetry.confidence.child(self._telemetry.campaign(campaign))
            self._confidence[campaign] = found
        return found

    def _mode(self, campaign: str | None, *, explored: bool) -> Count:
        mode = "explore" if explored else "exploit"
        found = self._telemetry.exploration.child(self._telemetry.campaign(campaign), mode)
        self._modes[campaign, explored] = found
        return found

    def _forget(self) -> None:
        """Campaigns changed: bind anew."""
        self._known = self._telemetry.campaigns
        self._bound.clear()
        self._confidence.clear()
        self._modes.clear()
