"""Help: the keys that work everywhere, and the words of the page one is on."""

import streamlit as st

from dashboard import shown

KEYS = {
    "?": "opens this help",
    "Tab, Shift + Tab": "the next control, the one before",
    "Enter or Space": "presses a button, opens a list",
    "Esc": "closes a list, a form or this help",
    "Arrows": "move in a list, a slider or a table",
    "Ctrl + F in a table": "searches it",
    "R": "reads the page anew",
}


def offer(title: str) -> None:
    """Offer the help of the page; a question mark opens it, too."""
    if st.button("Help", icon=":material/help:", type="tertiary", key="help", help="Keys, and the words of this page"):
        _open(title)


@st.dialog("Help", width="medium", icon=":material/help:")
def _open(title: str) -> None:
    held = shown.now()
    st.markdown(f"**{title}**: {held.question}")
    st.markdown("## What the panels say")
    if not held.words:
        st.markdown(":gray[The words come with the panels: close this, and open it again once the page is drawn.]")
    for name, help_ in held.words.values():
        st.markdown(f"**{name}**  \n{help_}")
    st.markdown("## Everywhere")
    st.markdown(
        "An interval is the 95 % interval of the value above it. n is how many stand behind it. A dash is unknown, "
        "never zero. A hatched cell is too few to be sure, a grey one too few to be shown. Numbers under a chart "
        "holds the same figures as a table, to be read by row and taken along."
    )
    st.markdown("## Keys")
    st.markdown("\n".join(f"- **{key}** {what}" for key, what in KEYS.items()))
