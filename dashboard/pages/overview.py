"""Overview: the landing page; what each role needs first stands first."""

from collections.abc import Callable

from dashboard.cached import read
from dashboard.context import Context
from dashboard.links import go
from dashboard.panels import desks, landing, objectives
from dashboard.queries import alerts
from dashboard.queries.desks import steps
from dashboard.widgets import panel
from storage.records.clock import SECOND

Section = Callable[[Context], None]


def page(context: Context) -> None:
    """Draw the page."""
    with panel("", help="", key="cards"):
        landing.cards(context)
    if read(context, steps).done < len(desks.STEPS):
        with panel(
            "First steps",
            help="Each is ticked by a fact: rows came in, a policy serves, somebody agreed to a change, an audit ran.",
            key="steps",
            height="content",
        ):
            desks.first_steps(context)
    for section in ORDER.get(context.me.role, EVERYTHING):
        section(context)


def campaigns(context: Context) -> None:
    """Draw the campaigns."""
    with panel(
        "Campaigns",
        help="What runs first, and of that what is most at stake: the conversions, else the clicks of the range that "
        "hang on it; no money is known here. Eligible: decisions for people who may be profiled. Click rate: clicks "
        "per reported impression of real rows, with Wilson's 95 % interval; simulated rows stand apart. Times the "
        "holdout: lift over the people held out, from the newest readout. Limited by: the kill switch, status, dates, "
        "a policy that serves nobody or falls back in over 20 % of its decisions, over 10 % without consent, over 5 % "
        "of looks held back by caps. Campaigns have no budget here, so none limits them.",
        key="campaigns",
    ):
        desks.campaigns(context)


def questions(context: Context) -> None:
    """Draw what is open."""
    with panel(
        "Open questions",
        help="Experiments of the newest readout, the newest word on fairness of each plan, features beyond both lights "
        "of drift in the newest window, and changes that wait.",
        key="questions",
    ):
        desks.questions(context)


def fleet(context: Context) -> None:
    """Draw how the machinery stands."""
    with panel(
        "The fleet",
        help="Alerts that are not over, tasks of control that missed three turns or failed, what changed lately in "
        "what people are served, which engines decide with the newest revision, and when the collector last read "
        "their metrics and journal.",
        key="fleet",
    ):
        desks.fleet(context)


def budgets(context: Context) -> None:
    """Draw what is left of each error budget."""
    with panel(
        "Error budgets",
        help="Objectives over 30 days: what is left of the budget (below zero it is overspent), how fast it burns, "
        "until when it lasts. Those that burn first. Source: minutes of each objective's indicator.",
        key="budgets",
    ):
        objectives.cards(context, read(context, alerts.budgets, now=context.now // (10 * SECOND) * 10 * SECOND))
        go(context, "alerts", "Budgets burned down, alerts, silences")


def history(context: Context) -> None:
    """Draw impressions over time."""
    with panel(
        "Impressions over time",
        help="Reported impressions per step, by where the rows come from. Source: cells of 15 minutes.",
        key="impressions",
    ):
        landing.history(context)


EVERYTHING: tuple[Section, ...] = (campaigns, questions, budgets, fleet, history)
ORDER: dict[str, tuple[Section, ...]] = {
    "marketer": (campaigns, history),
    "data_scientist": (questions, campaigns, history),
    "ops": (budgets, fleet, history, campaigns),
}
