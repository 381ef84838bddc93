"""Panels of one decision."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard.context import Context
from dashboard.figures import bars
from dashboard.text import count, digits, percent, plain, safe, stamp
from dashboard.widgets import chart, empty, note, said, simulated, table, verdict

REPLAYS = {"exact": "pass", "equivalent": "pass", "mismatch": "fail", "erased": "unknown", "unavailable": "unknown"}
WORDS = {
    "exact": "Exact: the same bytes of ranking, scores and propensities.",
    "equivalent": "Equivalent: the same order, on another runtime.",
    "mismatch": "Mismatch: it comes out differently.",
    "erased": "Erased: what it was decided from was deleted on request.",
    "unavailable": "Unavailable: not all inputs are at hand.",
}

UNSURE = {
    "agree": "model and fallback agree",
    "uncalibrated": "uncalibrated",
    "no_ensemble": "no model scored this",
}
"""Why a decision has no confidence."""


def summaries(found: Sequence[Mapping[str, Any]], *, key: str, alt: str) -> None:
    """Draw decisions as a table whose ids open the decision."""
    table(
        [
            {
                "decision": f"/explorer?decision={one['decision_id']}",
                "at (UTC)": stamp(one["at"]),
                "served by": server(one),
                "reason": one.get("reason"),
                "items": ", ".join(str(item) for item in one.get("items") or ()),
                "campaign": one.get("campaign"),
                "policy": f"{one['policy']} v{one['version']}" if one.get("version") else one.get("policy"),
                "origin": one.get("origin"),
            }
            for one in found
        ],
        key=key,
        alt=alt,
        columns={"decision": st.column_config.LinkColumn(display_text=r"decision=([0-9A-Za-z_.:\-]+)")},
    )


def server(one: Mapping[str, Any]) -> str:
    """Return what chose the items: a model by its name, a scorer that is none by its own, or the rung that served.

    >>> server({"served_by": "model", "model": "ranker"}), server({"served_by": "model", "scorer": "popular"})
    ('model ranker', 'scorer popular')
    >>> server({"served_by": "model"}), server({"served_by": "default"})
    ('scorer, no model', 'default')
    """
    if one.get("served_by") != "model":
        return str(one.get("served_by"))
    if one.get("model"):
        return f"model {one['model']}"
    return f"scorer {one['scorer']}" if one.get("scorer") else "scorer, no model"


def newest(context: Context) -> None:
    """Draw the newest decisions of the range."""
    found = context.control.get("/decisions", start=context.span.start, end=context.span.end, limit=20)["decisions"]
    if not found:
        empty("No decision of this range is in the lake yet.", "Choose a longer range, or wait a few seconds.")
        return
    summaries(found, key="newest-decisions", alt="The newest decisions of the range")


def head(one: Mapping[str, Any], source: str) -> None:
    """Draw who decided what, on which grounds."""
    simulated([str(one["origin"])])
    policy = f"{safe(one['policy'])} v{one['version']}" if one.get("policy") and one.get("version") else "none"
    model = safe(one["model"]) if one.get("model") else "none"
    first, second, third, fourth, fifth = st.columns(5)
    reason = safe(one["reason"])
    first.metric(
        "Served by",
        safe(server(one)),
        delta=reason,
        delta_color="off",
        delta_arrow="off",
        help="What chose the items, and why it was that.",
    )
    second.metric(
        "Policy",
        policy,
        delta=_bucket(one),
        delta_color="off",
        delta_arrow="off",
        help="The version that the subject's bucket falls into.",
    )
    third.metric(
        "Model",
        model,
        delta=safe(one.get("model_version") or "no model scored this"),
        delta_color="off",
        delta_arrow="off",
        help="The model that scored the candidates, and its version; a list of popular items is no model.",
    )
    sure = one.get("confidence")
    fourth.metric(
        "Confidence",
        percent(sure, 3),
        delta=UNSURE.get(one.get("confidence_reason") or "", "calibrated"),
        delta_color="off",
        delta_arrow="off",
        help="Probability that the model's first pick is clicked and the fallback's is not, given one is.",
    )
    flags = one.get("consent")
    said = "not applicable" if flags is None else "given" if flags.get("personalization") else "not given"
    fifth.metric(
        "Consent",
        said,
        delta=f"epoch {count(one['consent_epoch'])}",
        delta_color="off",
        delta_arrow="off",
        help="Consent to personalization at that moment.",
    )
    note(
        f"{stamp(one['at'])} UTC · surface {safe(one['surface'])} · campaign {safe(one.get('campaign') or 'none')} · "
        f"subject {safe(one.get('subject') or 'not kept')} · replica {safe(one['replica'])} · revision "
        f"{count(one['revision'])} · {count(len(one.get('candidates') or ()))} candidates · from the {safe(source)}"
    )


def _bucket(one: Mapping[str, Any]) -> str:
    bucket = one.get("bucket")
    return "no bucket" if bucket is None else f"bucket {bucket:.4f}"


def scores(one: Mapping[str, Any]) -> list[float | None]:
    """Return the score of each slot: ``ranking`` holds places in ``candidates``."""
    known, ranking = one.get("scores") or [], one.get("ranking") or []
    return [known[place] if place < len(known) else None for place in ranking]


def slots(one: Mapping[str, Any]) -> None:
    """Draw the slots."""
    items = one.get("items") or ()
    if not items:
        empty("Nothing was shown.", "No candidate was left; the reason says why.")
        return
    positions = one.get("positions") or range(1, len(items) + 1)
    found, propensity, reasons = scores(one), one.get("propensity") or (), one.get("reasons") or ()
    table(
        [
            {
                "position": position,
                "item": item,
                "score": found[place] if place < len(found) else None,
                "propensity": propensity[place] if place < len(propensity) else None,
                "reasons": ", ".join(reasons[place]) if place < len(reasons) else "",
            }
            for place, (position, item) in enumerate(zip(positions, items, strict=False))
        ],
        key="slots-table",
        alt="Items shown, best first, with score and propensity",
    )
    note(f"Propensities are {safe(one['propensity_kind'])}.")


def stages(context: Context, one: Mapping[str, Any]) -> None:
    """Draw the time by stage."""
    spent = one.get("stage_us") or {}
    if not spent:
        empty("No stage was timed.", "Imported decisions were made elsewhere.")
        return
    chart(
        bars.histogram(list(spent), [("microseconds", list(spent.values()))], context.look, title="stage"),
        key="stage-chart",
        alt="Microseconds by stage: " + ", ".join(f"{name} {count(us)}" for name, us in spent.items()),
        rows=lambda: [{"stage": name, "microseconds": us} for name, us in spent.items()],
    )
    note(f"{count(sum(spent.values()))} µs in all")


def explanation(context: Context, decision_id: str) -> None:
    """Draw what spoke for the first item."""
    found = context.control.get(f"/decisions/{decision_id}/explanation")
    for item in found["items"][:1]:
        for sentence in item.get("sentences") or ():
            st.markdown(f"- {safe(sentence, limit=300)}")
        held = item.get("contributions") or ()
        if not held:
            continue
        table(
            [
                {"feature": one["feature"], "its value": one["value"], "adds to the score": one["contribution"]}
                for one in held
            ],
            key="contributions",
            alt="Contribution of each feature to the score of the first item",
        )
        note(f"Base {digits(item['base'])}, all features together give {digits(item['sum'])} for {safe(item['item'])}.")
    if found.get("attributions") == "none":
        note(f"No attributions: {safe(found.get('attributions_reason') or 'no reason given', limit=200)}.")


def replay(context: Context, decision_id: str) -> None:
    """Offer to decide again."""
    if not st.button("Decide again", icon=":material/replay:", key="replay-now"):
        note("Computes the decision from its record and compares bytes.")
        return
    found = context.control.get(f"/decisions/{decision_id}/replay")
    word = str(found["verdict"])
    with st.container(horizontal=True, vertical_alignment="center"):
        verdict(REPLAYS.get(word, "unknown"))
        st.markdown(WORDS.get(word, safe(word)))
    if found.get("stage") or found.get("reason"):
        note(f"stage {safe(found.get('stage') or 'none')}: {safe(found.get('reason') or '', limit=300)}")


def anew(context: Context, decision_id: str, decision: Mapping[str, Any]) -> None:
    """Offer to decide again with another version of the policy."""
    policy = decision.get("policy")
    if not policy:
        empty("No policy took part in this decision.", "So there is no version to put in its place.")
        return
    known = {one["key"]: one for one in context.control.get("/policies")["policies"]}
    numbers = sorted((int(one["version"]) for one in known.get(policy, {}).get("versions", ())), reverse=True)
    if not numbers:
        empty("Its policy is not known any more.", "Only versions that are kept can be put in its place.")
        return
    others = [one for one in numbers if one != decision.get("version")] or numbers
    with st.container(horizontal=True, vertical_alignment="bottom"):
        number = st.selectbox(
            "With version", numbers, index=numbers.index(others[0]), format_func="v{}".format, key="anew-version",
            width=140, help="As if it had served everyone; every other input as recorded.",
        )  # fmt: skip
        asked = st.button("Decide with it", icon=":material/alt_route:", key="anew-now")
    if not asked:
        note("Items, models, random numbers and what was known then stay; nothing is changed.")
        return
    _anew(context.control.get(f"/decisions/{decision_id}/anew", version=number), f"v{number}")


def _anew(told: Mapping[str, Any], name: str) -> None:
    if told["anew"] is None:
        said("unknown", f"Refused: {safe(told['reason'], limit=300)}.")
        return
    if told["unknown"]:
        missing = safe(", ".join(told["unknown"]), limit=300)
        said("warn", f"Not exact: {name} asks for what nobody recorded ({missing}); it was decided without.")
    else:
        said("pass", f"Exact: all that {name} asks was recorded, and the record itself comes out again.")
    logged, other = told["logged"], told["anew"]
    same = list(logged["items"]) == list(other["items"])
    st.markdown("The same items in the same order." if same else "Other items, or in another order:")
    most = max(len(logged["items"]), len(other["items"]))
    table(
        [
            {
                "slot": slot + 1,
                "as served": _at(logged["items"], slot),
                f"with {name}": _at(other["items"], slot),
                "": "" if _at(logged["items"], slot) == _at(other["items"], slot) else "differs",
            }
            for slot in range(most)
        ],
        key="anew-table",
        alt=f"Items by slot as served and with {name}",
    )
    ways = (("as served", logged), (f"with {name}", other))
    note(" · ".join(f"{way}: {safe(one['served_by'])}, {safe(one['reason'])}" for way, one in ways))


def _at(items: Sequence[str], slot: int) -> str:
    return plain(items[slot], 80) if slot < len(items) else "–"
