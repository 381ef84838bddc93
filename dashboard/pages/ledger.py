"""Audit log: every control action, chained."""

from dashboard.context import Context
from dashboard.panels import entries
from dashboard.widgets import panel
from storage.records.access import Scope


def page(context: Context) -> None:
    """Draw the page."""
    everything = context.me.may(Scope.AUDIT_READ)
    if everything:
        with panel(
            "Chain",
            help="Each entry carries a keyed hash over itself and the one before; signed heads are kept outside the "
            "database every 60 s, so cutting or rewriting the chain shows too.",
            key="chain",
        ):
            entries.chain(context)
    with panel(
        "Entries" if everything else "Your own entries",
        help="Who did what to which object, when and why; refused attempts too. Nobody can edit or delete here.",
        key="entries",
    ):
        entries.listed(context, own=not everything)
