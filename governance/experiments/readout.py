"""What an experiment shows: its health first, then each arm beside the reference, and one sentence what to do."""

from typing import Literal

from governance.experiments.lift import Lift
from storage.records.document import document
from storage.records.findings import Verdict

Advice = Literal["ship", "keep", "stop", "mend", "wait", "closed"]


@document
class ArmReadout:
    """One arm: the share of people that it should have (None: none was set), and what came of it; rates are per
    impression with Wilson's 95 % interval, ``buyers`` and ``value`` per known person."""

    arm: str
    share: float | None
    decisions: int
    people: int
    known: int
    impressions: int
    clicks: int
    conversions: int
    rate: float | None
    low: float
    high: float
    conversion_rate: float | None
    conversion_low: float
    conversion_high: float
    buyers: int
    value: float


@document
class Comparison:
    """One metric of one arm beside the reference arm; ``needed`` is how many more impressions (people, for what is
    counted per person) each arm wants to find a change of a fifth four times out of five."""

    metric: Literal["clicks", "conversions", "buyers", "value"]
    arm: str
    lift: Lift
    stands: bool = False
    needed: int | None = None


@document
class Health:
    """What is looked at before any result: exposures, how long, whether the arms have their shares (an always-valid p
    and the greatest deviation; None: no share was set), how many events, and who was seen in two arms."""

    days: int
    people: int
    impressions: int
    events: int
    srm_p: float | None
    srm_deviation: float | None
    srm: Verdict
    crossed: int
    crossed_share: float | None
    sentence: str


@document
class ArmDayShown:
    """Exposures of an arm on one day UTC."""

    day: int
    arm: str
    decisions: int
    impressions: int


@document
class Readout:
    """One experiment. ``hidden`` says why results are not shown yet (empty: they are); ``advice`` is ``closed`` for a
    log that is only read."""

    key: str
    kind: str
    title: str
    origin: Literal["real", "imported", "simulated"]
    reference: str
    started_at: int
    last_at: int
    health: Health
    hidden: str
    arms: tuple[ArmReadout, ...]
    comparisons: tuple[Comparison, ...]
    days: tuple[ArmDayShown, ...]
    verdict: Verdict
    advice: Advice
    sentence: str
