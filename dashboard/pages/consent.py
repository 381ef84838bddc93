"""Consent and subjects: who agreed to what, whether a no holds everywhere, each person's own history."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import consent_probe, consent_sources, consents, subjects
from dashboard.queries import consent
from dashboard.widgets import note, panel
from storage.records.access import Scope

SAID = "The last word of each subject by purpose. Who said nothing falls under the default of the region."
HOLDS = (
    "From the commit of a change to its use on a replica, all boots. "
    "Source: receipts of replicas, fairlead_consent_propagation_seconds."
)
PROBE = (
    "A subject of the product's own that has opted out and asks every replica, four times a minute. Every record is "
    "looked at too, every five minutes. One violation fails the check Consent, which pages."
)
MEASURED = "Once an hour the probe opts in and out again, and asks every replica until it is left alone."
CHECKS = "What the gate found before each decision, the probe's own among them. Source: fairlead_consent_checks_total."
SUBJECT = "The history of one subject; each look-up stands in the ledger. Withdrawing is as easy as giving."
REQUESTS = (
    "Access, portability, rectification, objection, restriction, erasure: the most urgent first. "
    "Nobody is named: a request knows its person by a keyed commitment."
)


def page(context: Context) -> None:
    """Draw the page."""
    found = read(context, consent.state, span=context.span, now=context.now)
    probe = read(context, consent.probe, now=context.now)
    with panel("", help="", key="cards"):
        consents.cards(context, found)
    left, right = st.columns(2)
    with left, panel("What people said", help=SAID, key="purposes"):
        consents.purposes(context, found)
    with right, panel("One subject", help=SUBJECT, key="subject"):
        if context.me.may(Scope.CONSENT_READ):
            consents.subject(context, found)
        else:
            note("Looking up a subject needs the permission consent:read; the sums on this page are for everyone.")
    if context.me.may(Scope.CONSENT_READ):
        left, right = st.columns([2, 1])
        with left, panel("Requests of people", help=REQUESTS, key="requests"):
            subjects.waiting(context)
        with right, panel("Take a request in", help="The id goes no further than the look-up.", key="take-in"):
            if context.me.may(Scope.CONSENT_WRITE):
                subjects.form(context)
            else:
                note("Taking a request in needs the permission consent:write.")
    left, right = st.columns(2)
    with left, panel("Does a no hold?", help=PROBE, key="probe"):
        consent_probe.asked(context, probe)
    with right, panel("How soon a no holds, from outside", help=MEASURED, key="measured"):
        consent_probe.measured(probe)
    left, right = st.columns(2)
    with left, panel("How fast it holds, as replicas report", help=HOLDS, key="propagation"):
        consents.propagation(context, found)
    with right, panel("Checks by engines", help=CHECKS, key="checks"):
        consents.checks(found)
    st.markdown("## Where consent comes from")
    with panel("Wordings", help="What people are asked with. A wording never changes.", key="wordings"):
        consent_sources.wordings(context)
    left, right = st.columns(2)
    with left, panel("Consent platforms", help="Whose messages are read as statements.", key="platforms"):
        consent_sources.platforms(context)
    with right, panel("Files", help=consent_sources.FILE_HELP, key="files"):
        consent_sources.files(context, read(context, consent.files))
