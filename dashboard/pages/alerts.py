"""SLO and alerts: what fires and who looks after it, how much of each error budget is left, and how fast it burns."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import alerts, objectives, slo_form, vitals
from dashboard.panels.bell import mine
from dashboard.queries import alerts as queries
from dashboard.widgets import guard, panel
from storage.records.clock import SECOND


def page(context: Context) -> None:
    """Draw the page; what fires refreshes itself as one fragment, what is opened and written does not."""
    if runbook := st.query_params.get("runbook"):
        with panel(f"Runbook: {runbook}" if runbook.isalnum() else "Runbook", help="What to do.", key="runbook"):
            alerts.runbook(runbook)
    if alert_id := st.query_params.get("alert"):
        with panel(
            "This alert", help="One alert: what it says, what coincides, what to do, who was told.", key="alert"
        ):
            alerts.opened(context, alert_id)
    st.fragment(_page, run_every=context.refresh_s)(vitals.moving(context))
    if "operation" in mine(context):
        with panel(
            "A target of one's own",
            help="An objective that the installation sets: an indicator, the least share of good ones, over how long. "
            "Under the key of one of the house it takes its place. Each change stands in the ledger.",
            key="slo-form",
        ):
            slo_form.author(context)
    with panel(
        "See that it arrives",
        help="Sends a message that is marked as a test. Destinations are settings: FAIRLEAD_ALERT_DESTINATIONS.",
        key="alert-tests",
    ):
        alerts.test(context)


def _page(now: vitals.Moving) -> None:
    with guard("alerts"):
        _panels(now())


def _panels(context: Context) -> None:
    at = context.now // (10 * SECOND) * 10 * SECOND
    span = context.span
    found = read(context, queries.board, now=at, audiences=mine(context), start=span.start, end=span.end)
    with panel(
        "What fires",
        help="Alerts that are not over, by what mostly has one cause; the gravest first. A silenced one is shown too.",
        key="firing",
    ):
        alerts.firing(context, found)
    if "operation" in mine(context) or "models" in mine(context):
        budgets = read(context, queries.budgets, now=at)
        with panel("Error budgets", help="Objectives over 30 days; what is left, how fast it burns.", key="budgets"):
            objectives.cards(context, budgets)
        with panel(
            "One budget, burned down",
            help="What was left of the range's own budget, step by step, with the flips, restarts and gaps of the "
            "range; below it how many were counted. Source: minutes of the indicator.",
            key="burned",
        ):
            objectives.burn_down(context, budgets)
    with panel("What was", help="Alerts that were over within the range, and how soon somebody looked.", key="history"):
        alerts.history(context, found)
    with panel("Noisy", help="More than five times in the range, and nobody did anything about it.", key="noisy"):
        alerts.noise(found)
