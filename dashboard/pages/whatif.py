"""What if: logged traffic decided again under a draft, exactly; what it would have earned, estimated."""

from dashboard.cached import read
from dashboard.context import Context
from dashboard.panels import audits, rehearsal, scenario
from dashboard.queries import rehearsals
from dashboard.widgets import empty, panel
from storage.records.findings import Audit


def page(context: Context) -> None:
    """Draw the page."""
    with panel(
        "Try something",
        help="Nothing is changed: traffic of the log is decided again by the engine's own functions, with what you "
        "change here, and compared with what was served.",
        key="try",
    ):
        scenario.form(context)
    found = read(context, rehearsals.tried)
    shown: list[Audit] = []
    with panel("Answer", help="Each run is kept as it was.", key="answer"):
        if not found:
            empty("Nothing was tried yet.", "Choose above what would be otherwise; it takes a minute.")
            return
        shown.append(audits.choose(found, key="run", named=rehearsals.named))
        rehearsal.head(context, shown[0])
    if not shown:
        return
    chosen = shown[0]
    if "exact" in chosen.result:
        with panel(
            "Exact: what would be shown",
            help="Counted by deciding each logged decision again: no model of people is in it.",
            key="exact",
        ):
            rehearsal.exact(context, chosen.result["exact"])
    with panel(
        "Estimated: what it would have earned",
        help="From the rows where the log did what the draft does, weighted by how much likelier the draft does it. "
        "IPS is the plain mean, SNIPS divides by the weights' mean, DR adds a model of the outcome.",
        key="estimated",
    ):
        rehearsal.estimated(context, chosen.result["estimated"])
    if "exact" in chosen.result:
        with panel("Whom it touches", help="Groups of fewer than 20 decisions are counted together.", key="groups"):
            rehearsal.groups(context, chosen.result["exact"])
        with panel(
            "Decisions that would differ", help="The first twenty; the explorer shows each whole.", key="differ"
        ):
            rehearsal.examples(chosen.result["exact"]["examples"])
    with panel("Every run", help="What was asked last first.", key="history"):
        rehearsal.history(found)
