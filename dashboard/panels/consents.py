"""Panels of the Consent page."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import streamlit as st

from dashboard.commands import command, turn
from dashboard.context import Context
from dashboard.figures import bars
from dashboard.queries.consent import SMALLEST, ConsentState
from dashboard.text import count, digits, percent, safe, stamp
from dashboard.widgets import chart, empty, note, table
from storage.quantiles import Quantile
from storage.records.access import Scope
from storage.records.consent import Purpose


def spread(found: Quantile) -> str:
    """Return a propagation time in words."""
    if found.value is not None:
        return f"{digits(1000 * found.value)} ms"
    return "n too small" if found.n else "–"


def shown(context: Context, n: int) -> str:
    """Return a count of people; small ones are not told to those who may not look up a person."""
    exact = context.me.may(Scope.CONSENT_READ) or n == 0 or n >= SMALLEST
    return count(n) if exact else f"< {SMALLEST}"


def cards(context: Context, found: ConsentState) -> None:
    """Draw the figures on top."""
    one, two, three, four, five = st.columns(5)
    said = found.summary.get("personalization", {})
    one.metric(
        "Violations",
        "unknown" if found.violations is None else count(found.violations),
        delta="must stay 0" if found.violations is not None else "no engine observed in this range",
        delta_color="off" if not found.violations else "inverse",
        delta_arrow="off",
        help="Decisions that were personalized against a no: seen while serving, by the probe, or in the records. "
        "Source: fairlead_consent_violations_total.",
    )
    two.metric(
        "Opted out",
        shown(context, said.get("denied", 0)),
        delta=f"{shown(context, sum(found.withdrawn.values()))} withdrawn in a day",
        delta_color="off",
        delta_arrow="off",
        help="People whose last word on personalization is no, whatever the range; and how often any purpose was "
        "withdrawn in 24 hours. The probe is not counted.",
    )
    three.metric(
        "Silence means",
        found.defaults.get("personalization", "deny"),
        delta=f"region {plain_region(found.region)}" if not found.region_from else "where no region is told",
        delta_color="off",
        delta_arrow="off",
        help="What holds for personalization where someone said nothing. Shipped as deny.",
    )
    p99 = found.spread.at(0.99)
    four.metric(
        "Opt-out holds after",
        spread(p99) if p99.value is not None else spread(found.spread.at(0.5)),
        delta=f"{'p99' if p99.value is not None else 'p50'} of {count(p99.n)}",
        delta_color="off",
        delta_arrow="off",
        help="From commit to use on a replica: p99 from 1,000 changes on, p50 from 20.",
    )
    oldest = found.oldest_epoch
    five.metric(
        "Oldest replica",
        "–" if oldest is None else f"epoch {count(oldest)}",
        delta=f"newest {count(found.epoch)}, {found.replicas} replicas",
        delta_color="off",
        delta_arrow="off",
        help="The consent epoch that the slowest replica decides with.",
    )


def plain_region(region: str) -> str:
    """Return a region's name, harmless."""
    return safe(region, limit=30)


def purposes(context: Context, found: ConsentState) -> None:
    """Draw the last words by purpose."""
    if not found.summary:
        empty("Nobody has said anything yet.", "The default of the region holds for everyone.")
    table(
        [
            {
                "purpose": one.value.replace("_", " "),
                "said yes": shown(context, found.summary.get(one.value, {}).get("granted", 0)),
                "said no": shown(context, found.summary.get(one.value, {}).get("denied", 0)),
                "silence means": found.defaults[one.value],
            }
            for one in Purpose
        ],
        key="purposes-table",
        alt="Last words of subjects by purpose, and the default",
    )
    _regions(found)


def _regions(found: ConsentState) -> None:
    if found.region_from:
        note(f"Where a person is, callers tell in {safe(found.region_from)}; silence means, by region:")
        table(
            [
                {"region": region} | {one.value.replace("_", " "): told.get(one.value, "deny") for one in Purpose}
                for region, told in found.regions.items()
            ],
            key="regions-table",
            alt="What silence means, by region and purpose",
        )
    else:
        note("Everyone falls under one region; `region_from` in the settings names who tells another.")


def propagation(context: Context, found: ConsentState) -> None:
    """Draw how fast changes spread."""
    if not sum(found.spread.counts):
        empty("No consent change has reached an engine yet.", "`fairlead consent opt-out` makes one.")
        return
    names = [f"≤ {digits(1000 * edge)} ms" if edge < 1 else f"≤ {digits(edge)} s" for edge in found.spread.edges]
    names.append(f"> {digits(found.spread.edges[-1])} s")
    chart(
        bars.histogram(names, [("changes", found.spread.counts)], context.look, title="commit to use"),
        key="propagation-chart",
        alt=f"How long {count(sum(found.spread.counts))} consent changes took to reach replicas",
        rows=lambda: [{"within": name, "n": n} for name, n in zip(names, found.spread.counts, strict=True)],
    )
    within = sum(n for edge, n in zip(found.spread.edges, found.spread.counts, strict=False) if edge <= 1.0)
    note(f"{percent(within / sum(found.spread.counts), 4)} within 1 s; target 99.9 %")


def checks(found: ConsentState) -> None:
    """Draw what the gate found."""
    total = sum(found.checks.values())
    if not total:
        empty("No decision was checked in this range.", "Choose another range.")
        return
    table(
        [{"found": name, "n": n, "share": percent(n / total, 3)} for name, n in sorted(found.checks.items())],
        key="checks-table",
        alt="Consent checks by result",
    )
    honoured, sent = found.gpc.get("true", 0), sum(found.gpc.values())
    note(f"Global Privacy Control: {count(sent)} requests carried it, {count(honoured)} were honoured.")


def _history(context: Context, subject_id: str, reason: str) -> Sequence[Mapping[str, Any]]:
    """Return what a subject said; each look-up stands in the ledger, so it is asked once, and anew after a command."""
    asked = (subject_id, reason, turn(""))
    if st.session_state.get("history", (None,))[0] != asked:
        answer = context.control.post("/consents/history", {"subject": subject_id, "reason": reason})
        st.session_state["history"] = (asked, answer["changes"])
    found: Sequence[Mapping[str, Any]] = st.session_state["history"][1]
    return found


def _holds(found: ConsentState, said: Sequence[Mapping[str, Any]]) -> None:
    last = {one["purpose"]: one for one in said}
    table(
        [
            {
                "purpose": one.value.replace("_", " "),
                "holds now": last[one.value]["state"]
                if one.value in last
                else {"allow": "granted", "deny": "denied"}[found.defaults[one.value]],
                "because": "said so" if one.value in last else "nothing said, default",
            }
            for one in Purpose
        ],
        key="holds-table",
        alt="What holds for one subject, purpose by purpose",
    )


def _receipts(context: Context, subject_id: str, reason: str) -> None:
    """Offer the signed receipts; they are fetched when asked for, for that stands in the ledger."""
    if st.button("Signed receipts", icon=":material/receipt_long:", help="Fetching them stands in the ledger."):
        asked = {"subject": subject_id, "reason": reason}
        st.session_state["receipts"] = (subject_id, context.control.post("/consents/receipts", asked)["receipts"])
    whose, kept = st.session_state.get("receipts", ("", ()))
    if kept and whose == subject_id:
        st.download_button(
            f"Download {count(len(kept))}",
            data=orjson.dumps(kept, option=orjson.OPT_INDENT_2),
            file_name="receipts.json",
            mime="application/json",
            icon=":material/download:",
            on_click="ignore",
            help="Whoever has the public key (`fairlead consent key`) can check each: `fairlead consent verify`.",
        )


def subject(context: Context, defaults: ConsentState) -> None:
    """Offer look-up, withdrawal and giving for one subject."""
    with st.form("look-up", border=False):
        name = st.text_input("Subject", key="subject-id", help="The id as your application sends it.")
        why = st.text_input("Reason", key="subject-why", help="At least 10 characters; the look-up is recorded.")
        asked = st.form_submit_button("Look up", icon=":material/search:")
    if asked and name and len(why) >= 10:
        st.session_state["looked up"] = (name, why)
        st.session_state.pop("history", None)
    known = st.session_state.get("looked up")
    if asked and not (name and len(why) >= 10):
        st.warning("Give the subject and a reason of at least 10 characters.", icon=":material/edit:")
    if not known:
        return
    subject_id, reason = known
    found = _history(context, subject_id, reason)
    if not found:
        empty(f"{safe(subject_id)} has said nothing.", "The default of the region holds.")
    else:
        table(
            [
                {"at (UTC)": stamp(one.get("said_at") or one["at"])}
                | {name: one.get(name) for name in ("purpose", "state", "source", "text_version", "reason", "actor")}
                for one in reversed(found)
            ],
            key="subject-table",
            alt="Consent history of one subject",
        )
    _holds(defaults, found)
    purpose = st.selectbox(
        "Purpose",
        [one.value for one in Purpose],
        index=1,
        key="subject-purpose",
        width=220,
        help="Each purpose is given or withdrawn on its own.",
    )
    with st.container(horizontal=True):
        for label, verb in (("Opt out", "opt-out"), ("Opt in", "opt-in")):
            command(
                context,
                label,
                path=f"/consents/{verb}",
                key=verb,
                scope=Scope.CONSENT_WRITE,
                body={"subject": subject_id, "purpose": purpose, "source": "dashboard"},
                what="Acknowledged when every replica enforces it, 2.5 s at the latest.",
            )
        if found:
            _receipts(context, subject_id, reason)
