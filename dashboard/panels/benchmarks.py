"""An industry's figures beside our own, and the table that brings them."""

import streamlit as st

from dashboard.cached import read
from dashboard.commands import SHORTEST_REASON, send, turn
from dashboard.context import Context
from dashboard.queries import insights
from dashboard.queries.rates import Rate
from dashboard.text import count, interval, percent, plain, safe
from dashboard.widgets import empty, note, table
from storage.records.access import Scope
from storage.spreadsheets import csv

NAMES = {
    "click_rate": "Click rate",
    "conversion_rate": "Conversion rate",
    "hit_rate": "Hit rate",
    "return_rate": "Came back after a week",
}
EXAMPLE = "metric,industry,value,source,date"
LARGEST = 500_000


def beside(context: Context) -> None:
    """Draw own figures and others' side by side, and offer to bring a table."""
    found = read(context, insights.beside, span=context.span)
    brought = [one for each in found for one in each.others]
    table(
        [
            row
            for each in found
            for row in (
                {"figure": NAMES[each.metric], "of": "this installation", "value": percent(each.own.value),
                 "95 % interval": _interval(each.own), "source": f"live rows, n {count(each.own.n)}", "as of": "now"},
                *(
                    {"figure": NAMES[each.metric], "of": plain(one.benchmark.industry, 60),
                     "value": percent(one.benchmark.value), "95 % interval": where(each.own, one.benchmark.value),
                     "source": plain(one.benchmark.source, 80), "as of": one.benchmark.date}
                    for one in each.others
                ),
            )
        ],
        key="benchmarks-table",
        alt="Own figures with intervals beside those of the industry, with source and date",
    )  # fmt: skip
    if not brought:
        empty("No figure of an industry is here.", "Bring a table of your own below; none comes with the product.")
    else:
        note("Figures of others count otherwise than ours: read their source before you compare.")
    _bring(context, bool(brought))


def _interval(own: Rate) -> str:
    return interval(own.low, own.high) if own.n else "nothing counted"


def where(own: Rate, other: float) -> str:
    """Say where another's figure lies beside our own interval.

    >>> where(Rate(hits=5, n=100, value=0.05, low=0.02, high=0.11), 0.2)
    'ours is lower'
    """
    if not own.n:
        return "–"
    return "ours is higher" if other < own.low else "ours is lower" if other > own.high else "within ours"


def _bring(context: Context, some: bool) -> None:
    if not context.me.may(Scope.CAMPAIGN_WRITE):
        note(f"To bring figures takes the permission {Scope.CAMPAIGN_WRITE.value}.")
        return
    key = turn("benchmarks")
    with (
        st.popover("Bring a table", icon=":material/upload_file:", key=f"{key}-open"),
        st.form(f"{key}-form", border=False),
    ):
        st.markdown(
            "A CSV file with the columns metric, industry, value, source, date. It replaces all figures"
            f"{'' if some else ', of which there is none yet'}; one wrong line refuses the whole."
        )
        note(f"Metrics: {', '.join(safe(name) for name in NAMES)}. Values: 0.021 or 2.1 %. Dates: 2026\\-01\\-31.")
        given = st.file_uploader(
            "Table", type=["csv"], key=f"{key}-file", max_upload_size=1, help=f"The first line is {EXAMPLE}."
        )
        why = st.text_input("Reason", key=f"{key}-reason", help="At least 10 characters. It stands in the ledger.")
        sent = st.form_submit_button("Replace all figures", type="primary")
    st.download_button(
        "An empty table",
        data=csv([dict.fromkeys(EXAMPLE.split(","), "")]).splitlines()[0] + b"\r\n",
        file_name="benchmarks.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        key="benchmarks-empty",
        on_click="ignore",
    )
    if not sent:
        return
    if given is None or len(why.strip()) < SHORTEST_REASON:
        st.warning("Choose a file, and say why in at least 10 characters.", icon=":material/edit:")
        return
    data = given.getvalue()
    if len(data) > LARGEST:
        st.warning("That file is larger than 500 kB; 500 figures are far fewer.", icon=":material/edit:")
        return
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        st.warning("That file is no UTF-8 text; save the table as CSV in UTF-8.", icon=":material/edit:")
        return
    send(context, "/benchmarks", {"csv": text, "reason": why.strip()}, key=key)
