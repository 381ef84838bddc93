"""Panels of the Consent page about where consent comes from: wordings, platforms, files."""

from collections.abc import Sequence
from typing import Any

import orjson
import streamlit as st

from dashboard.commands import SHORTEST_REASON, send, turn
from dashboard.context import Context
from dashboard.text import count, safe, stamp
from dashboard.widgets import empty, note, state, table
from storage.records.access import Scope
from storage.records.consent import Purpose
from storage.records.findings import Job

PURPOSES = [one.value for one in Purpose]
MOST_FILE = 700_000
EXAMPLE = """{
  "subject": "identifier",
  "items": "purposes", "purpose": "Id", "state": "TransactionType", "at": "ConsentDate",
  "purposes": {"ads-1": ["direct_marketing", "profiling"], "stats": ["tracking"]},
  "states": {"CONFIRMED": "granted", "WITHDRAWN": "denied"}
}"""
FILE_HELP = "Columns subject, purpose, state; said_at and text_version where they are known."


def wordings(context: Context) -> None:
    """Show the published wordings, and offer to publish one."""
    found = context.control.get("/consents/texts")
    if not found["texts"]:
        empty("No wording was published yet.", "A yes can then name the very words it was said to.")
    else:
        table(
            [
                {
                    "purpose": one["purpose"].replace("_", " "),
                    "version": one["version"],
                    "language": one["language"],
                    "people who said yes to it": "< 50" if one["granted"] is None else count(one["granted"]),
                    "published (UTC)": stamp(one["at"]),
                    "wording": one["body"],
                }
                for one in found["texts"]
            ],
            key="wordings-table",
            alt="Published wordings and how many people's last word is a yes to each",
        )
    if not context.me.may(Scope.CONSENT_WRITE):
        return
    key = turn("wording")
    with st.popover("Publish a wording", icon=":material/edit_document:", key=f"{key}-open"):
        with st.form(f"{key}-form", border=False):
            purpose = st.selectbox("Purpose", PURPOSES, key=f"{key}-purpose", help="What it asks for.")
            version = st.text_input("Version", key=f"{key}-version", help="Such as 2026-11; it never changes.")
            language = st.text_input("Language", "en", key=f"{key}-language", help="As a language tag: en, de-CH.")
            body = st.text_area("Wording", key=f"{key}-body", help="The very words that people are asked with.")
            reason = st.text_input("Reason", key=f"{key}-reason", help="At least 10 characters.")
            given = st.form_submit_button("Publish", type="primary")
        if given and _complete(version, language, body, reason=reason):
            order = {"purpose": purpose, "version": version, "language": language, "body": body, "reason": reason}
            send(context, "/consents/texts", order, key=key)


def platforms(context: Context) -> None:
    """Show the consent platforms that may tell of consent, and offer to declare one."""
    found = context.control.get("/consents/platforms")["platforms"]
    if not found:
        empty("No consent platform is connected.", "A declared mapping turns its purposes into these.")
    for name, one in found.items():
        mapped = "; ".join(f"{theirs} → {', '.join(ours)}" for theirs, ours in one["purposes"].items())
        st.markdown(f"**{safe(name)}**")
        note(f"{safe(mapped, limit=400)}")
        st.code(f"POST /control/v1/consents/platforms/{name}/messages", language=None, wrap_lines=True)
    if not context.me.may(Scope.ADMIN):
        note("Declaring one needs the permission admin, and a second person unless one person runs everything.")
        return
    key = turn("platform")
    with st.popover("Declare a platform", icon=":material/webhook:", key=f"{key}-open"):
        with st.form(f"{key}-form", border=False):
            name = st.text_input("Name", key=f"{key}-name", help="Small letters, digits, dashes: onetrust.")
            text = st.text_area("Mapping", EXAMPLE, key=f"{key}-mapping", height=220, help="Where a message says what.")
            reason = st.text_input("Reason", key=f"{key}-reason", help="At least 10 characters.")
            typed = st.text_input(
                "Type the name to confirm", key=f"{key}-confirm", help="So that the right one changes."
            )
            given = st.form_submit_button("Declare", type="primary")
        if given and _complete(name, text, reason=reason):
            try:
                mapping: Any = orjson.loads(text)
            except orjson.JSONDecodeError:
                st.warning("The mapping is no valid JSON.", icon=":material/edit:")
                return
            order = {"platform": mapping, "reason": reason, "confirm": typed}
            send(context, f"/consents/platforms/{name}", order, key=key, method="put")


def files(context: Context, found: Sequence[Job]) -> None:
    """Show what became of the latest files, and offer to send one."""
    for job in found:
        told = job.result or {}
        with st.container(horizontal=True):
            state(job.state)
            note(f"{stamp(job.created_at)} UTC, {safe(job.requested_by)}", width="content")
        if job.error:
            note(safe(job.error, limit=300))
        if told:
            names = ("rows", "granted", "denied", "unchanged", "outdated", "refused")
            note(", ".join(f"{count(told.get(name, 0))} {name}" for name in names))
        if told.get("refusals"):
            with st.expander(f"Refused rows: {count(told['refused'])}"):
                table(told["refusals"], key=f"refusals-{job.job_id}", alt="Refused rows by line, field and reason")
    if not found:
        empty("No file was taken yet.", FILE_HELP)
    if not context.me.may(Scope.CONSENT_WRITE):
        return
    key = turn("file")
    with st.popover("Take a CSV file", icon=":material/upload_file:", key=f"{key}-open"):
        with st.form(f"{key}-form", border=False):
            sent = st.file_uploader("File", type="csv", key=f"{key}-file", help=FILE_HELP)
            source = st.text_input("Source", "import", key=f"{key}-source", help="As the consent record calls it.")
            reason = st.text_input("Reason", key=f"{key}-reason", help="At least 10 characters.")
            given = st.form_submit_button("Take", type="primary")
        if given and sent is not None and _complete(source, reason=reason):
            text = sent.getvalue().decode("utf-8-sig", "replace")
            if len(text) > MOST_FILE:
                st.warning("This file is large: `fairlead consent import` takes it.", icon=":material/terminal:")
                return
            send(context, "/consents/import", {"csv": text, "source": source, "reason": reason}, key=key)


def _complete(*fields: str, reason: str) -> bool:
    if all(field.strip() for field in fields) and len(reason.strip()) >= SHORTEST_REASON:
        return True
    st.warning("Fill in every field, and say why in at least 10 characters.", icon=":material/edit:")
    return False
