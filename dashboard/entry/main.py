"""The script that Streamlit runs for every look at the dashboard."""

from collections import OrderedDict
from pathlib import Path

import httpx
import streamlit as st

from dashboard import shell
from dashboard.context import Context, Me
from dashboard.control import ControlClient, SignedOut
from dashboard.login import cookie_name
from dashboard.text import safe
from dashboard.theme import Mode
from storage.database import Database
from storage.errors import FairleadError, Unavailable
from storage.records import clock

MARK = Path(__file__).with_name("mark.svg")
SESSIONS = 256
TRUSTED = clock.HOUR
READING_S = 5.0
ANSWER_S = 20.0
"""An opt-out is acknowledged after 2.5 s at the latest; a sample of decisions may take longer."""


@st.cache_resource
def database(url: str) -> Database:
    """Return the one connection pool of this process; a statement that takes longer is ended."""
    return Database(url, timeout_s=READING_S, read_timeout_s=READING_S)


@st.cache_resource
def http(url: str) -> httpx.Client:
    """Return the one HTTP client of this process."""
    return httpx.Client(base_url=url, timeout=httpx.Timeout(ANSWER_S, connect=2.0), trust_env=False)


@st.cache_data(ttl=10, max_entries=256, show_spinner=False)
def _asked(_control: ControlClient, token: str) -> Me:  # noqa: ARG001  # the token is what the cache looks at
    found = _control.get("/me")
    return Me(
        principal=str(found["principal"]),
        role=str(found["role"]),
        scopes=frozenset(found["scopes"]),
        solo=bool(found["solo"]),
        like=str(found.get("like") or ""),
    )


@st.cache_resource
def _seen() -> OrderedDict[str, tuple[Me, int]]:
    """Return who signed in with which token, and when control last said so; of this process."""
    return OrderedDict()


def who(control: ControlClient, token: str) -> Me:
    """Return who looks. While control is away, its last word on a token holds for ``TRUSTED``, for looking only:
    control still decides all else.

    Raises
    ------
    SignedOut
        When the token is not valid.
    Unavailable
        When control does not answer and has not known this token lately.
    """
    seen = _seen()
    try:
        me = _asked(control, token)
    except SignedOut:
        seen.pop(token, None)
        raise
    except Unavailable:
        known = seen.get(token)
        if known is None or clock.now() - known[1] > TRUSTED:
            raise
        st.warning(
            "The control API does not answer: figures go on, commands and single decisions do not.",
            icon=":material/cloud_off:",
        )
        return known[0]
    seen[token] = (me, clock.now())
    seen.move_to_end(token)
    while len(seen) > SESSIONS:
        seen.popitem(last=False)
    return me


def passport() -> str:
    """Return the identity token of who signed in with the identity provider, empty where there is none."""
    if "auth" not in st.secrets or not st.user.is_logged_in:
        return ""
    return str(st.user.tokens["id"])


def main() -> None:
    """Draw the page that is asked for."""
    settings = st.secrets["fairlead"]
    st.set_page_config(page_title="Fairlead", page_icon=str(MARK), layout="wide")
    token = st.context.cookies.get(cookie_name(settings["port"]), "") or passport()
    if not token:
        shell.signed_out(st.query_params.get("login", ""))
        return
    control = ControlClient(http(settings["control_url"]), token)
    try:
        me = who(control, token)
    except SignedOut:
        shell.signed_out("left" if st.session_state.get("left") else "")
        return
    except FairleadError as error:
        st.title("Fairlead")
        st.error(f"{safe(error, limit=300)}.", icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:")
        return
    mode: Mode = "dark" if st.context.theme.type == "dark" else "light"
    shell.show(
        Context(
            database=database(settings["database_url"]),
            control=control,
            me=me,
            now=clock.now(),
            environment=settings["environment"],
            home=Path(settings["home"]),
            mode=mode,
        )
    )


if __name__ == "__main__":
    main()
