"""One sentence of an experiment: what is shown, and what to do."""

from collections.abc import Sequence

from governance.experiments.lift import Lift
from governance.experiments.readout import Advice, Comparison, Health
from storage.arm_outcomes import EXPLORATION, LOG
from storage.records.findings import Verdict


def advised(
    health: Health,
    hidden: str,
    compared: Sequence[Comparison],
    *,
    kind: str,
    reference: str,
    running: bool,
    simulated: bool = False,
) -> tuple[Advice, Verdict, str]:
    """Return what to do, as checks say it, and why; an unbelieved split silences every other word, and of simulated
    rows no lift follows."""
    if health.srm == "fail":
        return "mend", "fail", f"{health.sentence} Nothing that follows is believed; find out why before going on."
    if hidden:
        return "wait", "unknown", hidden
    first = [each for each in compared if each.metric == "clicks"]
    if not first:
        return "keep", "unknown", "Nothing was clicked in any arm, so nothing can be compared."
    over = kind == LOG or not running
    if simulated:
        _, _, sentence = _compared(first, reference, closed="closed", shipped=False)
        return "closed", "unknown", f"Simulated rows, of which no lift follows. {sentence}"
    return _compared(first, reference, closed="closed" if over else None, shipped=kind != EXPLORATION)


def _compared(
    first: Sequence[Comparison], reference: str, *, closed: Advice | None, shipped: bool
) -> tuple[Advice, Verdict, str]:
    best = max(first, key=lambda each: each.lift.value)
    said = f"“{best.arm}” against “{reference}”, {_said(best.lift)}."
    if best.stands and best.lift.low > 0.0:
        return (
            closed or "ship",
            "pass",
            f"Shown to be clicked more: {said}{'' if closed or not shipped else ' Ship it.'}",
        )
    if all(each.stands and each.lift.high < 0.0 for each in first):
        return closed or "stop", "fail", f"Shown to be clicked less: {said}{'' if closed else ' Stop it.'}"
    if best.lift.low > 0.0 or best.lift.high < 0.0:
        alone = "It is apart from zero by itself, but does not stand among all comparisons of this readout."
        return closed or "keep", "unknown", f"Not shown: {said} {alone}"
    more = f" About {best.needed:,} more impressions per arm would show a change of a fifth." if best.needed else ""
    return closed or "keep", "unknown", f"Not shown to be better: {said}{more}{'' if closed else ' Keep it running.'}"


def _said(found: Lift) -> str:
    if found.relative is None or found.relative_low is None or found.relative_high is None:
        return f"{100 * found.value:+.2f} percentage points ({100 * found.low:+.2f} to {100 * found.high:+.2f})"
    return f"{100 * found.relative:+.0f} % ({100 * found.relative_low:+.0f} to {100 * found.relative_high:+.0f} %)"
