"""Panels of alerts: what fires by cause, one alert in full, what was, what is noisy."""

from collections.abc import Sequence

import streamlit as st

from dashboard.cached import read
from dashboard.commands import SHORTEST_REASON, command, send, turn
from dashboard.context import Context
from dashboard.links import go
from dashboard.panels import coincidences
from dashboard.panels.bell import mine
from dashboard.queries import alerts as queries
from dashboard.queries.alerts import Board, Told
from dashboard.text import ago, lasting, safe, stamp
from dashboard.widgets import Colour, empty, note, said, table
from governance.alerts.desk import longest
from governance.alerts.kinds import KINDS, kind_of
from governance.alerts.runbooks import RUNBOOKS
from storage.records.access import Scope
from storage.records.alerts import AlertState
from storage.records.clock import MINUTE

STATES: dict[AlertState, tuple[str, str, Colour]] = {
    "firing": (":material/notifications_active:", "firing", "red"),
    "acknowledged": (":material/person_check:", "looked after", "blue"),
    "silenced": (":material/notifications_off:", "silenced", "orange"),
    "resolved": (":material/check:", "over", "green"),
}
SIGNS = frozenset({"alert", "check"})
"""What says that something is wrong, but not what changed."""
HUSHES = (15, 60, 240, 480, 1440)


def _badge(told: Told) -> str:
    icon, word, colour = STATES[told.state]
    grave = "" if told.alert.severity == "page" or told.state == "resolved" else ", can wait for the working day"
    return f":{colour}-badge[{icon} {word}{grave}]"


def _minutes(minutes: int) -> str:
    return lasting(minutes * MINUTE)


def firing(context: Context, found: Board) -> None:
    """Draw what is not over, grouped by what mostly has one cause; the gravest first."""
    if not found.open:
        known = bool(found.over)
        if known:
            said("pass", "Nothing fires.")
        else:
            empty("Nothing fires, and nothing fired in this range.", "Test an alert below to see that it arrives.")
        return
    for cause, group in found.by_cause().items():
        with st.container(border=True, key=f"cause-{group[0].alert.cause}"):
            many = f" · {len(group)} alerts that may have one cause" if len(group) > 1 else ""
            note(f"{cause}{many}")
            for told in group:
                _row(context, told)


def _row(context: Context, told: Told) -> None:
    alert = told.alert
    since = lasting(context.now - alert.since)
    again = f", came back {alert.fires - 1}×" if alert.fires > 1 else ""
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"row-{alert.alert_id}"
    ):
        with st.container(width="stretch"):
            st.markdown(f"{_badge(told)} **{safe(alert.title)}**, for {since}{again}")
            st.markdown(safe(alert.sentence, limit=400))
            more = [f"differs most: {safe(alert.top, limit=160)}"] if alert.top else []
            if told.state == "acknowledged":
                more.append(f"{safe(alert.acked_by)} looks after it: {safe(alert.acked_why, limit=160)}")
            if told.silence is not None:
                more.append(f"silenced until {stamp(told.silence.until)} UTC by {safe(told.silence.by)}")
            if more:
                note(" · ".join(more))
        with st.container(horizontal=True, width="content", vertical_alignment="center"):
            if st.button(
                "Open", key=f"open-{alert.alert_id}", icon=":material/open_in_full:", help="What is known of it."
            ):
                st.query_params["alert"] = alert.alert_id
                st.rerun(scope="app")
            if told.state == "firing":
                _acknowledge(context, alert.alert_id, key=f"ack-listed-{alert.alert_id}")


def _acknowledge(context: Context, alert_id: str, *, key: str) -> None:
    """Offer to look after an alert; the one that is open is listed below as well, so each place has its own key."""
    command(
        context,
        "Acknowledge",
        path=f"/alerts/{alert_id}/acknowledge",
        key=key,
        scope=Scope.ALERT_ANSWER,
        icon=":material/person_check:",
        primary=True,
        what="You look after it. Nothing more is sent of it until it is over or becomes graver.",
    )


def opened(context: Context, alert_id: str) -> None:
    """Draw one alert in full: what it says, what coincides, what to do, who was told."""
    told = read(context, queries.one, alert_id=alert_id, now=context.now // MINUTE * MINUTE, audiences=mine(context))
    if told is None:
        empty("There is no such alert among those that you may see.", "It may be forgotten, or somebody else's work.")
        return
    alert = told.alert
    st.markdown(f"{_badge(told)} **{safe(alert.title)}**")
    st.markdown(safe(alert.sentence, limit=400))
    over = f", over {ago(alert.resolved_at, context.now)}" if alert.resolved_at is not None else ""
    note(f"since {stamp(alert.since)} UTC, fired {ago(alert.fired_at, context.now)}{over}")
    if alert.top:
        note(f":material/troubleshoot: differs most: {safe(alert.top, limit=200)}")
    _coincides(context, alert.since)
    runbook(alert.name)
    if told.state != "resolved":
        _answers(context, told)
    elif alert.resolved_why:
        note(f"over: {safe(alert.resolved_why, limit=300)} ({safe(alert.resolved_by)})")
    _sent(told)
    with st.container(horizontal=True):
        go(context, kind_of(alert.name).page, "Look for its cause")
        go(context, "checks", "Its check")
        if st.button("Close this view", key="alert-shut", icon=":material/close:", type="tertiary"):
            for name in ("alert", "do"):
                st.query_params.pop(name, None)
            st.rerun(scope="app")


def _coincides(context: Context, since: int) -> None:
    if coincidences.draw(context, ((since, since),), key="alert", what="its first sign", apart_from=SIGNS):
        go(context, "policies", "See what is served, and take it back")


def runbook(name: str) -> None:
    """Draw what to do about a kind of alert."""
    found = RUNBOOKS.get(name, RUNBOOKS["unknown"])
    st.markdown(f"**What it means.** {found.means}  \n**Look first.** {found.look}  \n**Mend.** {found.mend}")


def _answers(context: Context, told: Told) -> None:
    alert = told.alert
    with st.container(horizontal=True):
        if told.state == "firing":
            _acknowledge(context, alert.alert_id, key=f"ack-{alert.alert_id}")
        if told.silence is not None:
            command(
                context,
                "End the silence",
                path=f"/alerts/{alert.alert_id}/lift",
                key=f"lift-{alert.alert_id}",
                scope=Scope.ALERT_ANSWER,
                icon=":material/notifications:",
                what="Messages about it are sent again.",
            )
        command(
            context,
            "Close by hand",
            path=f"/alerts/{alert.alert_id}/resolve",
            key=f"resolve-{alert.alert_id}",
            scope=Scope.ALERT_ANSWER,
            icon=":material/done_all:",
            what="It is over as far as you know. If it is still true it fires again, as a new one.",
        )
    if told.silence is None and context.me.may(Scope.ALERT_ANSWER):
        _silence(context, told)


def _silence(context: Context, told: Told) -> None:
    alert = told.alert
    most = longest(alert) // MINUTE
    key = turn(f"silence-{alert.alert_id}")
    with (
        st.expander("Silence it", icon=":material/notifications_off:", expanded=st.query_params.get("do") == "silence"),
        st.form(f"{key}-form", border=False),
    ):
        note("Nothing of it is sent until the silence ends; it is shown all the same, and told again if still true.")
        minutes = st.selectbox(
            "For",
            [one for one in HUSHES if one <= most],
            format_func=_minutes,
            key=f"{key}-minutes",
            width=160,
            help="A silence ends: after a day at most, after an hour where it concerns consent or the record.",
        )
        reason = st.text_input("Reason", key=f"{key}-reason", help="At least 10 characters. It stands in the ledger.")
        given = st.form_submit_button("Silence", icon=":material/notifications_off:")
    if not given:
        return
    if len(reason.strip()) < SHORTEST_REASON:
        st.warning("Say why in at least 10 characters.", icon=":material/edit:")
        return
    send(context, f"/alerts/{alert.alert_id}/silence", {"minutes": minutes, "reason": reason.strip()}, key=key)


def _sent(told: Told) -> None:
    if not told.sent:
        note(":material/outgoing_mail: nobody was sent a message of it")
        return
    parts = [
        f"{safe(one.destination)}: {one.occasion}, {one.state}"
        + (f" after {one.attempts} attempts" if one.attempts > 1 else "")
        + (f" ({safe(one.trouble)})" if one.trouble else "")
        for one in told.sent
    ]
    note(f":material/outgoing_mail: {' · '.join(parts)}")


def history(context: Context, found: Board) -> None:
    """Draw what was over within the range, with how soon somebody looked after it."""
    if not found.over:
        empty("Nothing was over in this range.", "Choose a longer range.")
        return
    acked = [one.alert.acked_at - one.alert.fired_at for one in found.over if one.alert.acked_at is not None]
    if acked:
        middle = sorted(acked)[len(acked) // 2]
        note(f"{len(acked)} of {len(found.over)} were looked after, half of them within {lasting(middle)}")
    table(
        [
            {
                "alert": one.alert.title,
                "what": one.alert.sentence,
                "since (UTC)": stamp(one.alert.since),
                "lasted": lasting((one.alert.resolved_at or context.now) - one.alert.since),
                "looked after within": "–"
                if one.alert.acked_at is None
                else lasting(one.alert.acked_at - one.alert.fired_at),
                "by": one.alert.acked_by or "nobody",
                "over because": one.alert.resolved_why,
                "fired": one.alert.fires,
                "test": "test" if one.alert.test else "",
            }
            for one in found.over
        ],
        key="alerts-history",
        alt="Alerts that are over, with how long each lasted and how soon somebody looked after it",
    )


def noise(found: Board) -> None:
    """Draw what fires again and again and nobody does anything about."""
    if not found.noisy:
        note("None: what fires more than five times in the range without anybody acting on it would stand here.")
        return
    for one in found.noisy:
        said(
            "warn", f"**{safe(one.title)}** fired {one.fires} times and nobody acted on it: mend it, or its threshold."
        )


def test(context: Context) -> None:
    """Offer to send a marked test."""
    names: Sequence[str] = [name for name, kind in KINDS.items() if kind.audience in mine(context)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Kind of alert",
            names,
            format_func=lambda one: KINDS[one].title,
            key="alert-kind",
            width=240,
            help="Whose messages are tested: those who would be told of this kind.",
        )
        command(
            context,
            "Send a test",
            path="/alerts/test",
            key="alert-test",
            scope=Scope.ALERT_ANSWER,
            body={"name": name},
            icon=":material/send:",
            what="A message marked as a test goes to every destination that would be told of this kind.",
        )
