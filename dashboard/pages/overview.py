"""Overview: the landing page; what each role needs first stands first."""

from collections.abc import Callable

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import desks, landing
from dashboard.queries import overview
from dashboard.queries.desks import steps
from dashboard.widgets import empty, panel, simulated

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
        help="Eligible: decisions for people who may be profiled. By scorer: of our decisions those that the policy's "
        "own scorer served, not a fallback, a rule or the default. Click rate: clicks per reported impression of real "
        "rows, with Wilson's 95 % interval; simulated rows stand apart. Lift: over the people held out, from the "
        "newest readout. Limited by: what holds it back now. Most impressions first.",
        key="campaigns",
    ):
        if not read(context, overview.by_origin, span=context.span):
            empty("Nothing has been shown in this range.", "Choose a longer one, or send events.")
        else:
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
        help="Alerts neither acknowledged nor silenced, tasks of control that missed three turns or failed, what "
        "changed lately in what people are served, and which engines decide with the newest revision.",
        key="fleet",
    ):
        desks.fleet(context)


def history(context: Context) -> None:
    """Draw impressions over time."""
    with panel(
        "Impressions over time",
        help="Reported impressions per step, by where the rows come from. Source: cells of 15 minutes.",
        key="impressions",
    ):
        sums = read(context, overview.over_time, span=context.span)
        if not sums:
            empty("No impression in this range.", "Choose a longer one.")
        else:
            landing.history(context, sums)
            simulated(tuple(sums))


EVERYTHING: tuple[Section, ...] = (campaigns, questions, fleet, history)
ORDER: dict[str, tuple[Section, ...]] = {
    "marketer": (campaigns, history),
    "data_scientist": (questions, campaigns, history),
    "ops": (fleet, history, campaigns),
}
