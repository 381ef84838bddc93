"""The panels of the Live page, row by row."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.context import Context
from dashboard.panels import buckets, deciders, differences, fleet, vitals


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One panel: its words, and what draws it."""

    key: str
    draw: Callable[[Context], None]
    title: str = ""
    help: str = ""


def _model(context: Context) -> None:
    deciders.model(context)
    vitals.confidence(context)


PULSE = Block(key="pulse", draw=vitals.cards)
ROWS = (
    (
        Block(
            key="latency",
            draw=vitals.latency,
            title="Latency",
            help="Decision time, request to answer, by quantile. Unit: ms. Replicas are merged by "
            "adding their buckets. Source: fairlead_decision_duration_seconds.",
        ),
        Block(
            key="outcomes",
            draw=vitals.outcomes,
            title="Decisions by what served them",
            help="Decisions a second by outcome: the policy's own scorer (a model or a list of popular items), "
            "a fallback, rules, or the default. Source: fairlead_decision_requests_total.",
        ),
    ),
    (
        Block(
            key="buckets",
            draw=buckets.buckets_over_time,
            title="Latency by time",
            help="Share of a step's decisions that took so long; empty buckets and times that nobody observed are "
            "bare. Source: fairlead_decision_duration_seconds.",
        ),
    ),
    (
        Block(
            key="stages",
            draw=vitals.stages,
            title="Where the time goes",
            help="95th percentile of each stage and its share of all time. "
            "Source: fairlead_decision_stage_duration_seconds.",
        ),
        Block(
            key="confidence",
            draw=_model,
            title="Model and confidence",
            help="Whether the model in service ranks better than popularity on held-out time, whether its confidence "
            "is proven, and the confidence of its decisions now against the 7 days before. Source: the registry; "
            "fairlead_decision_confidence_ratio.",
        ),
    ),
    (
        Block(
            key="deciders",
            draw=deciders.who,
            title="Who decides",
            help="Each version in service, whom it is meant for, and what ranks for it. A list of popular items is a "
            "scorer, not a model. The newest decisions of the range show how they fell to each version, and how often "
            "its own scorer served rather than a fallback or a rule.",
        ),
    ),
    (
        Block(
            key="differences",
            draw=differences.draw,
            title="What changed most, and what coincides",
            help=differences.HELP,
        ),
    ),
    (
        Block(
            key="caches",
            draw=vitals.caches,
            title="Caches",
            help="Hits among look-ups by cache. Not the hit rate of decisions. Source: fairlead_cache_requests_total.",
        ),
    ),
    (
        Block(
            key="replicas",
            draw=fleet.replicas,
            title="Replicas",
            help="Each engine that reports: its version, what it decides with, since when, how lately it was heard, "
            "and how far its clock is from the collector's.",
        ),
    ),
)
