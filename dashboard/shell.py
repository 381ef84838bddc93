"""What surrounds a page: sign-in, menu by role, header, kill switch."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard import cached, view
from dashboard.commands import kill_switch, last_word
from dashboard.context import Context
from dashboard.pages.menu import menu
from dashboard.pages.registry import PAGES, Page
from dashboard.queries import overview
from dashboard.text import stamp
from dashboard.widgets import failure, guard, note
from storage.errors import FairleadError

LOGIN: Mapping[str, str] = {
    "refused": "That link was used, or is older than ten minutes.",
    "unreachable": "The control API does not answer, so nobody can sign in just now.",
    "left": "You are signed out.",
}


def draw(page: Page, context: Context) -> None:
    """Draw one page with its header; a page that the reader may not open says so, whatever the menu showed."""
    view.banner(context, page.key, page.title, page.question)
    last_word()
    if not context.me.may(page.scope):
        st.error(
            f"Your role may not open this page: it needs the permission {page.scope.value}.  \nCode FL-1403",
            icon=":material/lock:",
        )
        return
    _kill_banner(context)
    with guard(f"page-{page.key}"):
        page.draw(view.choose(context, page.defaults))


def _kill_banner(context: Context) -> None:
    try:
        switch = cached.read(context, overview.kill_switch)
    except FairleadError as error:
        failure(error, "kill-state")
        return
    if switch.on:
        st.error(
            f"The kill switch is on since {stamp(switch.since)} UTC: everyone gets the default experience.",
            icon=":material/power_settings_new:",
        )


def signed_out(word: str) -> None:
    """Say how one signs in."""
    st.title("Fairlead")
    if word in LOGIN:
        st.warning(LOGIN[word], icon=":material/key:")
    if "auth" in st.secrets:
        st.markdown("Sign in with the account of your organization.")
        if st.button("Sign in", icon=":material/login:", type="primary", key="sign-in"):
            st.login()
        note("Who has no account there opens a one-time link: `fairlead login` prints one.")
        return
    st.markdown("Open the one-time link that `fairlead up` printed. `fairlead login` prints a fresh one.")
    note("A link signs in once, within ten minutes; the browser then keeps a cookie that no script can read.")


def leave(context: Context) -> None:
    """Offer to sign out: control forgets the session, so every tab of it ends."""
    if not st.button("Sign out", icon=":material/logout:", type="tertiary", key="leave"):
        return
    if "auth" in st.secrets and st.user.is_logged_in:
        st.cache_data.clear()
        st.logout()
        return
    try:
        context.control.post("/auth/logout", {})
    except FairleadError as error:
        failure(error, "leave")
        return
    st.session_state.clear()
    st.session_state["left"] = True
    st.cache_data.clear()
    st.rerun()


def show(context: Context) -> None:
    """Draw the menu by role and the chosen page. Streamlit's own menu with sections is a list that holds no items, for
    who listens to it."""
    sections = menu(context.me)
    listed = {page.key for pages in sections.values() for page in pages}
    targets = {
        page.key: st.Page(
            partial(_run, page.key, context),
            title=page.title,
            icon=page.icon,
            url_path=page.key,
            default=page.key == "overview",
        )
        for page in PAGES
    }
    context = replace(context, links={key: targets[key] for key in listed})
    chosen = st.navigation(list(targets.values()), position="hidden")
    with st.sidebar:
        for name, pages in sections.items():
            with st.container(gap="xsmall", key=f"menu-{name or 'first'}"):
                if name:
                    st.caption(name)
                for page in pages:
                    st.page_link(targets[page.key], width="stretch")
        kill_switch(context, on=_killed(context))
        leave(context)
    st.session_state["links"] = context.links
    chosen.run()


def _killed(context: Context) -> bool:
    try:
        return cached.read(context, overview.kill_switch).on
    except FairleadError:
        return False


def _run(key: str, context: Context) -> None:
    page = next(one for one in PAGES if one.key == key)
    draw(page, replace(context, links=st.session_state.get("links", {})))
