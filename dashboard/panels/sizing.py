"""How many impressions an experiment needs, before it is begun."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.queries import overview
from dashboard.text import count, digits, percent
from dashboard.widgets import note
from governance.experiments.power import days, sample_size
from storage.cells import Cell
from storage.records.clock import DAY

DEFAULT_RATE = 0.02
FALLBACK_TRAFFIC = 1_000


def calculator(context: Context) -> None:
    """Offer the calculation; it begins at this installation's own click rate and traffic."""
    found = read(context, overview.by_origin, span=context.span)
    own = found.get("live") or found.get("simulated") or found.get("imported")
    known = own.clicks / own.impressions if own and own.impressions and own.clicks else DEFAULT_RATE
    one, two, three, four = st.columns(4)
    rate = one.number_input(
        "Click rate now, %", 0.01, 99.0, round(100 * known, 2), 0.1, key="size-rate", help="Clicks per impression."
    )
    change = two.number_input(
        "Change to find, %", 1.0, 500.0, 20.0, 5.0, key="size-change", help="Relative: 20 % of 2 % is 0.4 points."
    )
    power = three.number_input(
        "Found how often, %", 50.0, 99.0, 80.0, 5.0, key="size-power", help="Of experiments where it is really there."
    )
    per_day = four.number_input(
        "Impressions a day", 0, 1_000_000_000, _per_day(context, own), 1_000, key="size-traffic",
        help="Of both arms together.",
    )  # fmt: skip
    try:
        needed = sample_size(rate / 100.0, change / 100.0, power=power / 100.0)
    except ValueError:
        note("A rate that rises so far would exceed 100 %; take a smaller change.")
        return
    lasts = days(needed, arms=2, per_day=float(per_day))
    then = f"; at {count(per_day)} impressions a day that takes {digits(lasts)} days" if lasts is not None else ""
    st.markdown(
        f"**{count(needed)} impressions in each of two arms** to find a change from {percent(rate / 100.0)} to "
        f"{percent(rate * (1.0 + change / 100.0) / 100.0)}{then}."
    )
    note("Several impressions of one person tell less than as many of different people: plan for more where they do.")


def _per_day(context: Context, own: Cell | None) -> int:
    shown = own.impressions if own is not None else 0
    return int(shown * DAY / max(context.span.width, DAY)) or FALLBACK_TRAFFIC
