"""Insights: creators and their audiences, who comes back, and an industry's figures beside our own."""

from dashboard.cached import read
from dashboard.context import Context
from dashboard.links import go
from dashboard.panels import audits, benchmarks, creators, retention
from dashboard.queries import insights
from dashboard.text import ago, safe
from dashboard.widgets import empty, note, panel


def page(context: Context) -> None:
    """Draw the page."""
    found = read(context, insights.insights)
    with panel(
        "Creators and their audiences",
        help="Impressions and clicks of each creator's items over the last 28 days, beside everyone else's, with 95 % "
        "intervals; the item attribute that names creators is a setting. Rows of one origin are held against each "
        "other only. Which difference stands is told among all (Benjamini and Hochberg, 5 %). Source: the lake, "
        "counted hourly.",
        key="creators",
    ):
        audits.start(context, "insights", "Counts creators, audiences and returns anew.", label="Count now")
        if found.at is None:
            empty("Audiences have not been counted yet.", "Control does so every hour once anything was shown.")
        elif not found.creators:
            creators.missing(found.attribute)
        else:
            note(
                f"Creators are named by the item attribute {safe(found.attribute)}. As of {ago(found.at, context.now)}."
            )
            creators.listed(found.creators)
    if found.creators:
        with panel(
            "What the audience prefers",
            help="Click rate of a part of the audience on this creator's items, and by how far it lies above what the "
            "same part makes of everyone else's; items beside the creator's others. Parts of fewer than 50 known "
            "people are masked, and a second one where a sum would give it away. Sensitive attributes are left out.",
            key="prefers",
        ):
            creators.audience(context, found.creators)
    with panel(
        "Who comes back",
        help="Of the people first seen in a week (Monday to Sunday, UTC; of the last nine weeks), how many were seen "
        "again so many weeks later, with Wilson's 95 % interval. The last week is still open. Cohorts of fewer than "
        "50 people are masked.",
        key="retention",
    ):
        retention.cohorts(context, found.cohorts)
    with panel(
        "Beside the industry",
        help="Own figures are of live rows in the range, with Wilson's 95 % interval; the others are those that this "
        "installation brought along, each with its source and date. None comes with the product.",
        key="benchmarks",
    ):
        benchmarks.beside(context)
    with panel(
        "Segments, rules and models",
        help="Each has a page of its own with its figures and its proofs.",
        key="elsewhere",
    ):
        go(context, "segments", "Segments: which kinds of people there are, and who clicks more or less")
        go(context, "rules", "Rules: what each does, against an arm without it")
        go(context, "models", "Models: which serve, and whether they are better than what they replaced")
        go(context, "experiments", "Experiments: what chance has shown to be better")
