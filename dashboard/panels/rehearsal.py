"""The answer of a what-if: now beside the draft, what it would earn, whom it touches."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.figures.bars import Estimate, estimates
from dashboard.figures.pairs import Pair, pairs
from dashboard.queries.rehearsals import named
from dashboard.text import ago, count, digits, percent, safe, stamp
from dashboard.widgets import chart, empty, note, said, simulated, table
from storage.records.findings import Audit

SHARES: Mapping[str, str] = {
    "model_share": "served by the model",
    "fallback_share": "served by the fallback",
    "default_share": "default experience",
    "capped_share": "a cap held something back",
    "empty_share": "nothing to show",
}
COUNTS: Mapping[str, str] = {
    "filled_per_decision": "slots filled per decision",
    "people_reached": "people reached",
    "items_shown": "different items shown",
}
ESTIMATORS: Mapping[str, str] = {"ips": "IPS", "snips": "SNIPS", "dr": "DR"}


def head(context: Context, audit: Audit) -> None:
    """Draw what was tried, the answer in words, and on what it rests."""
    st.markdown(f"**{safe(named(audit), limit=200)}**")
    if audit.verdict == "unknown":
        said(audit.verdict, safe(audit.sentence, limit=700))
    else:  # an answer is neither good nor bad
        st.markdown(safe(audit.sentence, limit=700))
    simulated(audit.population.get("origins", ()))
    looked = audit.population
    drawn = (
        f"{count(looked['rows'])} of {count(looked['of'])} decisions"
        if "of" in looked
        else f"{count(looked['rows'])} rows"
    )
    note(
        f"{drawn}, {stamp(looked['start'], seconds=False)} to {stamp(looked['end'], seconds=False)} UTC · "
        f"run {ago(audit.at, context.now)}"
    )
    told = audit.result.get("rehearsed")
    if not told:
        return
    again, asked, exact = (count(told[name]) for name in ("again", "asked", "exact"))
    note(f"{again} of {asked} came out again as recorded, {exact} of them bit for bit")
    for why, number in told["left_out"].items():
        note(f":material/change_history: {count(number)} left out: {safe(why)}")
    for what in told["unknown"]:
        note(f":material/change_history: not recorded, so taken as unknown: {safe(what)}")


def exact(context: Context, told: Mapping[str, Any]) -> None:
    """Draw both sides."""
    figures = st.columns(4)
    for column, (label, value, help_) in zip(
        figures,
        (
            ("Decisions that change", percent(told["changed_share"]), "Other items, or another order."),
            ("First item changes", percent(told["first_changed_share"]), "Another item stands first."),
            ("People who see a change", count(told["people_changed"]), "Known people with at least one such decision."),
            ("Decisions", count(told["decisions"]), "Logged decisions that came out again as recorded."),
        ),
        strict=True,
    ):
        column.metric(label, value, help=help_)
    rows = [
        Pair(name=words, now=told["now"][name], draft=told["draft"][name], n=told["decisions"])
        for name, words in SHARES.items()
    ]
    left, right = st.columns([3, 2])
    with left:
        chart(
            pairs(rows, context.look, title="share of decisions"),
            key="now-and-draft",
            alt=", ".join(f"{row.name}: {row.now:.2%} now, {row.draft:.2%} as drafted" for row in rows),
            rows=lambda: [{"what": row.name, "now": row.now, "draft": row.draft} for row in rows],
        )
    with right:
        sides = ("now", "draft")
        table(
            [{"what": words, **{side: digits(told[side][name]) for side in sides}} for name, words in COUNTS.items()]
            + [
                {"what": f"cap {name} held back in", **{side: count(told[side]["caps"].get(name, 0)) for side in sides}}
                for name in sorted({*told["now"]["caps"], *told["draft"]["caps"]})
            ]
            + [
                {"what": f"rule {name} in", **{side: count(told[side]["rules"].get(name, 0)) for side in sides}}
                for name in sorted({*told["now"]["rules"], *told["draft"]["rules"]})
            ],
            key="counts",
            alt="What both sides do, as counts",
        )
    note(safe(told["caveat"], limit=400))


def estimated(context: Context, told: Mapping[str, Any]) -> None:
    """Draw the estimates, or say why there is none."""
    if told["verdict"] == "supported":
        st.markdown(f":material/check: {safe(told['sentence'], limit=500)}")
    else:
        said("unknown", safe(told["sentence"], limit=500))
    served = told["logged"]
    rows = [
        Estimate(
            name=words, value=told[name], low=told["intervals"][name][0], high=told["intervals"][name][1], n=told["n"]
        )
        for name, words in ESTIMATORS.items()
        if name in told
    ]
    if not rows or served["value"] is None:
        empty("There is nothing to estimate from.", "It takes impressions of decisions that the draft could have made.")
        return
    rows.append(Estimate(name="as served", value=served["value"], low=served["low"], high=served["high"], n=told["n"]))
    supported = told["verdict"] == "supported"
    if supported:
        chart(
            estimates(rows, context.look, title="outcomes per impression", reference=(served["value"], "as served")),
            key="estimates",
            alt=", ".join(f"{row.name} {row.value:.3%} ({row.low:.3%} to {row.high:.3%})" for row in rows),
            rows=lambda: [
                {"estimator": row.name, "value": row.value, "low": row.low, "high": row.high} for row in rows
            ],
        )
    else:
        with st.popover("The figures all the same", icon=":material/table:", type="tertiary"):
            note("They rest on too little to be read as an answer.")
            table(
                [{"estimator": row.name, "value": row.value, "low": row.low, "high": row.high} for row in rows],
                key="estimates-refused",
                alt="Estimates that no verdict rests on",
            )
    note(
        f"{count(told['n'])} impressions, worth {count(round(told['ess']))} of the draft's own · largest weight "
        f"{digits(told['max_weight'])} · mean weight {digits(told['mean_weight'])} (1 is right) · "
        f"{percent(told['unsupported_share'])} without support · "
        + (
            f"weights cut at {digits(told['clip'])}, {percent(told['clipped_share'])} of rows"
            if told["clip"]
            else "no clipping"
        )
    )
    if told.get("open_windows"):
        note(f"{count(told['open_windows'])} impressions may still get an outcome; counted as it stands.")
    if told.get("really") is not None:
        note(f"What it really earned, by its own log: {percent(told['really'], 3)}.")
    note(safe(told["caveat"], limit=400))


def groups(context: Context, told: Mapping[str, Any]) -> None:
    """Draw what happens to whom, and whose items are shown."""
    columns = st.columns(2)
    for place, (name, held) in enumerate(told["exposure"].items()):
        rows = [Pair(name=row["group"], now=row["now"], draft=row["draft"], n=None) for row in held["groups"][:12]]
        if not rows:
            continue
        with columns[place % 2]:
            st.markdown(f"**Exposure by {safe(name)}**")
            chart(
                pairs(rows, context.look, title="share of exposure, 1 / log2(1 + rank)"),
                key=f"exposure-{place}",
                alt=", ".join(f"{row.name} {row.now:.1%} to {row.draft:.1%}" for row in rows),
                rows=partial(list, held["groups"]),
            )
            note(f"{percent(held['moved'])} of all exposure moves to other values")
    for place, (name, held) in enumerate(told["groups"].items()):
        st.markdown(f"**Visitors by {safe(name)}**")
        table(
            [
                {
                    "group": row["group"],
                    "decisions": row["decisions"],
                    "change": percent(row["changed_share"]),
                    "model now": percent(row["now_model_share"]),
                    "model as drafted": percent(row["draft_model_share"]),
                    "capped now": percent(row["now_capped_share"]),
                    "capped as drafted": percent(row["draft_capped_share"]),
                }
                for row in held["groups"]
            ],
            key=f"visitors-{place}",
            alt=f"What happens to visitors by {name}",
        )
        now, draft = (held["ratio"][side] for side in ("now", "draft"))
        if now is not None and draft is not None:
            note(
                f"Least ÷ largest share served by the model: {digits(now)} now, {digits(draft)} as drafted (1 is alike)"
            )


def examples(rows: Sequence[Mapping[str, Any]]) -> None:
    """Draw a few decisions that would differ."""
    if not rows:
        empty("No decision would differ.", "Try a larger change, or more traffic.")
        return
    table(
        [
            {
                "at (UTC)": stamp(row["at"]),
                "campaign": row["campaign"] or "",
                "shown": ", ".join(row["now"]["items"]),
                "as drafted": ", ".join(row["draft"]["items"]),
                "decision": row["decision_id"],
            }
            for row in rows
        ],
        key="examples",
        alt="Decisions that would differ",
    )


def history(found: Sequence[Audit]) -> None:
    """Draw every run."""
    table(
        [
            {
                "at (UTC)": stamp(one.at),
                "tried": named(one),
                "answer": "none" if one.verdict == "unknown" else "given",
                "in words": one.sentence,
            }
            for one in found
        ],
        key="runs",
        alt="Every what-if with its answer",
    )
