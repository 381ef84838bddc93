"""Models: what serves, whether it is any good, what came before it, and the way back."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import champions, lineage, retraining
from dashboard.panels.deciders import trust
from dashboard.queries import models
from dashboard.text import plain
from dashboard.widgets import empty, panel
from storage.records.models import Standing


def page(context: Context) -> None:
    """Draw the page."""
    chosen: tuple[Standing, ...] = ()
    held = False
    with panel("", help="", key="head"):
        known = read(context, models.models)
        if known.versions:
            name = st.selectbox(
                "Model",
                list(known.versions),
                format_func=plain,
                key="model",
                bind="query-params",
                width=260,
                help="Each name has its own line of versions; one of them is in service.",
            )
            chosen = known.versions.get(name or "") or next(iter(known.versions.values()))
            held = chosen[0].model.name in known.held
            champions.head(context, chosen, held=held)
        else:
            empty("No model has been trained.", "`fairlead train` trains one from the lake, or retrain below.")
    if chosen:
        left, right = st.columns([3, 2])
        with (
            left,
            panel(
                "Evaluation",
                help="On the slice of time after training, against the best one-line rule; bars are 95 % intervals.",
                key="evaluation",
            ),
        ):
            champions.evaluation(context, chosen)
        with (
            right,
            panel(
                "Confidence",
                help="Proven only if the calibration error's upper 95 % bound is at most 0.05 and it tells more than "
                "a constant would; judged on outcomes that its map was not fitted on.",
                key="confidence",
            ),
        ):
            trust(context, champions.shown(chosen).model)
        with panel(
            "Champion and challenger",
            help="Each new version beside the one in service, on time that neither was trained on. It goes into "
            "service only if a loss beyond the margin is ruled out.",
            key="challengers",
        ):
            champions.challengers(context, chosen)
        with panel(
            "Versions", help="Immutable; newest first. Choose one to see what it was made from.", key="versions"
        ):
            lineage.versions(context, chosen)
    left, right = st.columns([3, 2])
    with (
        left,
        panel(
            "Retraining",
            help="Every hour the small models, once a day the large ones, each by itself: what fails stops no other.",
            key="retraining",
        ),
    ):
        retraining.runs(context)
    with (
        right,
        panel(
            "Quality of feedback",
            help="What people tell counts for less in training where it cannot be taste: as counts, no person named.",
            key="feedback",
        ),
    ):
        retraining.feedback(context)
