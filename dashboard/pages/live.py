"""Live: what the engine does now."""

import streamlit as st

from dashboard.context import Context
from dashboard.panels import buckets, deciders, differences, fleet, vitals
from dashboard.widgets import panel


def page(context: Context) -> None:
    """Draw the page; it refreshes itself as one fragment."""
    st.fragment(_page, run_every=context.refresh_s)(vitals.moving(context))


def _page(now: vitals.Moving) -> None:
    context = now()
    with panel("", help="", key="pulse"):
        vitals.cards(context)
    if context.me.role == "marketer" and not st.toggle(
        "Show all panels",
        key="all_panels",
        bind="query-params",
        help="The row above tells whether it works; the rest is for who looks after the engines.",
    ):
        return
    left, right = st.columns(2)
    with (
        left,
        panel(
            "Latency",
            help="Decision time, request to answer, by quantile. Unit: ms. Replicas are merged by "
            "adding their buckets. Source: fairlead_decision_duration_seconds.",
            key="latency",
        ),
    ):
        vitals.latency(context)
    with (
        right,
        panel(
            "Decisions by what served them",
            help="Decisions a second by outcome: the policy's own scorer (a model or a list of popular items), "
            "a fallback, rules, or the default. Source: fairlead_decision_requests_total.",
            key="outcomes",
        ),
    ):
        vitals.outcomes(context)
    with panel(
        "Latency by time",
        help="Share of a step's decisions that took so long; empty buckets and times that nobody observed are bare. "
        "Source: fairlead_decision_duration_seconds.",
        key="buckets",
    ):
        buckets.buckets_over_time(context)
    left, right = st.columns(2)
    with (
        left,
        panel(
            "Where the time goes",
            help="95th percentile of each stage and its share of all time. "
            "Source: fairlead_decision_stage_duration_seconds.",
            key="stages",
        ),
    ):
        vitals.stages(context)
    with (
        right,
        panel(
            "Model and confidence",
            help="Whether the model in service ranks better than popularity on held-out time, whether its confidence "
            "is proven, and the confidence of its decisions now against the 7 days before. Source: the registry; "
            "fairlead_decision_confidence_ratio.",
            key="confidence",
        ),
    ):
        deciders.model(context)
        vitals.confidence(context)
    with panel(
        "Who decides",
        help="Each version in service, whom it is meant for, and what ranks for it. A list of popular items is a "
        "scorer, not a model. The newest decisions of the range show how they fell to each version, and how often "
        "its own scorer served rather than a fallback or a rule.",
        key="deciders",
    ):
        deciders.who(context)
    differences.panelled(context)
    with panel(
        "Caches",
        help="Hits among look-ups by cache. Not the hit rate of decisions. Source: fairlead_cache_requests_total.",
        key="caches",
    ):
        vitals.caches(context)
    with panel(
        "Replicas",
        help="Each engine that reports: its version, what it decides with, since when, how lately it was heard, "
        "and how far its clock is from the collector's.",
        key="replicas",
    ):
        fleet.replicas(context)
