"""Consent: who agreed to what, how fast an opt-out holds everywhere, and each subject's own history."""

import streamlit as st

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import consents, subjects
from dashboard.queries import consent
from dashboard.widgets import note, panel
from storage.records.access import Scope


def page(context: Context) -> None:
    """Draw the page."""
    found = read(context, consent.state, span=context.span, now=context.now)
    with panel("", help="", key="cards"):
        consents.cards(context, found)
    left, right = st.columns(2)
    with (
        left,
        panel(
            "What people said",
            help="The last word of each subject by purpose. Who said nothing falls under the default of the region.",
            key="purposes",
        ),
    ):
        consents.purposes(context, found)
    with (
        right,
        panel(
            "How fast it holds",
            help="From the commit of a change to its use on a replica, all boots. "
            "Source: receipts of replicas, fairlead_consent_propagation_seconds.",
            key="propagation",
        ),
    ):
        consents.propagation(context, found)
    left, right = st.columns(2)
    with (
        left,
        panel(
            "Checks by engines",
            help="What the gate found before each decision. Source: fairlead_consent_checks_total.",
            key="checks",
        ),
    ):
        consents.checks(found)
    with (
        right,
        panel(
            "One subject",
            help="The history of one subject; each look-up stands in the ledger. Withdrawing is as easy as giving.",
            key="subject",
        ),
    ):
        if context.me.may(Scope.CONSENT_READ):
            consents.subject(context)
        else:
            note("Looking up a subject needs the permission consent:read; the sums on this page are for everyone.")
    if not context.me.may(Scope.CONSENT_READ):
        return
    left, right = st.columns([2, 1])
    with (
        left,
        panel(
            "Requests of people",
            help="Access, portability, rectification, objection, restriction, erasure: the most urgent first. "
            "Nobody is named: a request knows its person by a keyed commitment.",
            key="requests",
        ),
    ):
        subjects.waiting(context)
    with right, panel("Take a request in", help="The id goes no further than the look-up.", key="take-in"):
        if context.me.may(Scope.CONSENT_WRITE):
            subjects.form(context)
        else:
            note("Taking a request in needs the permission consent:write.")
