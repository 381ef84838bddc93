"""What a reader may take along: a panel's numbers as CSV or JSON, a figure as PNG, a page as a bundle."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dashboard import shown
from dashboard.context import Context
from dashboard.evidence import About, as_csv, as_json, bundle
from dashboard.text import ago, plain, safe, stamp
from dashboard.theme import framed, theme
from storage.errors import FairleadError

WIDE = 960
CAMERA = {
    "displaylogo": False,
    "displayModeBar": True,
    "modeBarButtons": [["toImage"]],
    "scrollZoom": False,
    "responsive": True,
}


def name(key: str, about: About) -> str:
    """Return a file's name: what it is of, and when it was read."""
    read = stamp(about.read_at).replace("-", "").replace(":", "").replace(" ", "T")
    return f"{about.page or 'page'}_{key}_{read}Z"


def numbers(key: str) -> None:
    """Offer the numbers kept under ``key`` as CSV and JSON; a file is made when it is asked for."""
    held = shown.now()
    st.download_button(
        "CSV",
        data=lambda: as_csv(held.about, held.numbers[key][1]),
        file_name=f"{name(key, held.about)}.csv",
        mime="text/csv",
        icon=":material/download:",
        type="tertiary",
        key=f"{key}-csv",
        on_click="ignore",
    )
    st.download_button(
        "JSON",
        data=lambda: as_json(held.about, key, *held.numbers[key]),
        file_name=f"{name(key, held.about)}.json",
        mime="application/json",
        icon=":material/data_object:",
        type="tertiary",
        key=f"{key}-json",
        on_click="ignore",
    )


def tables(keys: Sequence[str], *, key: str) -> None:
    """Offer the tables of a panel as files."""
    if not keys:
        return
    with st.popover("Files", icon=":material/download:", type="tertiary", key=f"{key}-files", help="Take the numbers"):
        for one in keys:
            alt = shown.now().numbers[one][0]
            st.markdown(f":small[{safe(alt, limit=80)}]")
            with st.container(horizontal=True):
                numbers(one)


def caption(about: About) -> tuple[str, str]:
    """Return in two lines what a picture must say of itself: what was asked, and how old it is."""
    first, last = (stamp(at, seconds=False) for at in (about.start, about.end))
    span = "" if about.start is None else f"{first} to {last} UTC"
    asked = ", ".join(f"{one} {plain(value, 40)}" for one, value in about.filters.items())
    newest = "" if about.newest_at is None else f"newest data {ago(about.newest_at, about.read_at)}"
    lines = ((about.environment, span, asked), (f"read {stamp(about.read_at)} UTC", newest))
    above, below = (" · ".join(part for part in line if part) for line in lines)
    return above, below


def picture(figure: go.Figure, *, key: str, alt: str) -> None:
    """Offer a figure as PNG, which the browser itself makes; what it shows, its range and its age stand in it."""
    if not st.toggle("Picture", key=f"{key}-picture", help="Draw it with title, range and age, to be saved as PNG."):
        return
    held = shown.now()
    title = held.titles[-1] if held.titles and held.titles[-1] else alt.split(".", maxsplit=1)[0]
    look = theme("dark" if st.context.theme.type == "dark" else "light")
    under = "<br>".join(safe(line, "figure", limit=100) for line in caption(held.about))
    drawn = framed(figure, look, title=safe(plain(title, 60), "figure"), caption=under)
    saved = {
        "format": "png",
        "scale": 2,
        "width": WIDE,
        "height": drawn.layout.height,
        "filename": name(key, held.about),
    }
    st.plotly_chart(
        drawn,
        theme=None,
        key=f"{key}-framed",
        alt=f"To be saved as PNG: {alt}",
        config=CAMERA | {"toImageButtonOptions": saved},
    )
    st.markdown(":small[:gray[The camera above the figure saves it.]]")


def evidence(context: Context) -> None:
    """Offer the whole page as a bundle: all its numbers, what was asked, the code's version, the ledger's head."""
    held = shown.now()
    st.download_button(
        "Evidence",
        data=lambda: _bundle(context, held),
        file_name=f"{name('evidence', held.about)}.zip",
        mime="application/zip",
        icon=":material/folder_zip:",
        type="tertiary",
        key="evidence",
        on_click="ignore",
        help="All numbers of this page as a ZIP, with filters, range, data age, the version of the code, the ledger's "
        "head, and a checksum of each file.",
    )


def _bundle(context: Context, held: shown.Shown) -> bytes:
    head: dict[str, Any] | None = None
    why = ""
    try:
        head = context.control.get("/system")["ledger_head"]
    except FairleadError as error:
        why = str(error)
    return bundle(held.about, held.numbers, by=context.me.principal, head=head, why=why)
