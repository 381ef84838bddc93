"""Service level objectives as Prometheus computes them: the house's own, their indicators written as selectors."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from governance.alerts.house import HOUSE
from governance.alerts.indicators import INDICATORS, Indicator, Where
from storage.records.alerts import BurnWindow, Slo
from storage.records.proportions import Z

DURATION = INDICATORS["latency"].metric
CONSENT = INDICATORS["consent"].metric
POLICY = INDICATORS["policy"].metric

STEP_S = 30
"""How often the rules of objectives are computed."""
RATE_S = 300
"""The window that everything longer is added up from."""

FIRST_LOOKS: Mapping[str, str] = {
    "availability": "the engines' logs name each error; `fairlead doctor` names what does not answer",
    "latency": "the stages on the Live page say where the time goes",
    "latency_tail": "the stages on the Live page say where the time goes; one slow plugin or replica is enough",
    "quality": "why decisions fall back, on the Live page; which version serves, on the Policies page",
    "freshness": "look at the callers' clocks and queues, then at the log's backlog",
    "consent": "look at the database that engines poll; a stale engine serves the default experience",
    "policy": "look at the database that engines poll, and at replicas that lag on the System page",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What share of what is to be good. ``good`` and ``valid`` are selectors of counters."""

    key: str
    title: str
    good: str
    valid: str
    share: float
    windows: tuple[BurnWindow, ...]
    first_look: str

    @property
    def budget(self) -> float:
        """The share that may be bad."""
        return round(1.0 - self.share, 6)


def _selected(name: str, *matchers: str) -> str:
    return f"{name}{{{','.join(sorted(matchers))}}}" if matchers else name


def _matchers(conditions: Iterable[Where]) -> list[str]:
    """Write conditions as matchers of labels; no value has a character that a pattern would read otherwise."""
    made = []
    for one in conditions:
        exact = len(one.values) == 1
        sign = {(True, False): "=", (True, True): "!=", (False, False): "=~", (False, True): "!~"}[exact, one.none]
        made.append(f'{one.label}{sign}"{"|".join(one.values)}"')
    return made


def _selectors(one: Indicator) -> tuple[str, str]:
    """Return the selectors of what is good and of what is valid.

    >>> _selectors(INDICATORS["consent"])[0]
    'fairlead_consent_propagation_seconds_bucket{le="1.0"}'
    """
    valid = _matchers(one.valid)
    if one.within_s is not None:
        edge = f'le="{one.within_s}"'
        return _selected(f"{one.metric}_bucket", edge, *valid), _selected(f"{one.metric}_count", *valid)
    return _selected(one.metric, *_matchers(one.good), *valid), _selected(one.metric, *valid)


def _objective(slo: Slo) -> Objective:
    one = INDICATORS[slo.indicator]
    good, valid = _selectors(one)
    return Objective(
        key=slo.key,
        title=one.tells[:1].upper() + one.tells[1:].partition(";")[0],
        good=good,
        valid=valid,
        share=slo.objective,
        windows=slo.windows,
        first_look=FIRST_LOOKS[slo.indicator],
    )


OBJECTIVES: tuple[Objective, ...] = tuple(_objective(slo) for slo in HOUSE)
"""The objectives of the house; those that people write in their place are judged by control alone."""


def span(seconds: int) -> str:
    """Return a window as Prometheus writes it.

    >>> span(300), span(21_600), span(259_200)
    ('5m', '6h', '3d')
    """
    size, unit = next(
        (size, unit) for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s")) if seconds % size == 0
    )
    return f"{seconds // size}{unit}"


def recorded(objective: Objective) -> Mapping[str, str]:
    """Return the recording rules of one objective: name and expression; the label ``slo`` tells them apart.

    Long windows add up what the short one recorded: three days of every raw series are more samples than Prometheus
    reads at once. ``low`` is the lower end of Wilson's 95 % interval of the share of bad ones
    (``storage.records.proportions``).
    """
    own = f'{{slo="{objective.key}"}}'
    base = f"rate{span(RATE_S)}"
    rules = {
        f"slo:fairlead_{kind}:{base}": f"sum by (environment) (rate({part}[{span(RATE_S)}]))"
        for kind, part in (("good", objective.good), ("valid", objective.valid))
    }
    for seconds in sorted({each for window in objective.windows for each in (window.long_s, window.short_s)}):
        window = span(seconds)
        if seconds == RATE_S:
            good, valid = (f"slo:fairlead_{kind}:{base}{own}" for kind in ("good", "valid"))
            rules[f"slo:fairlead_valid:increase{window}"] = f"{valid} * {RATE_S}"
        else:
            good, valid = (f"sum_over_time(slo:fairlead_{kind}:{base}{own}[{window}])" for kind in ("good", "valid"))
            rules[f"slo:fairlead_valid:increase{window}"] = f"{valid} * {STEP_S}"
        rules[f"slo:fairlead_bad:ratio{window}"] = f"clamp_min(1 - {good} / {valid}, 0)"
    for each in objective.windows:
        window = span(each.long_s)
        bad, n = f"slo:fairlead_bad:ratio{window}{own}", f"slo:fairlead_valid:increase{window}{own}"
        half = f"{Z:.6f} * sqrt({bad} * (1 - {bad}) / {n} + {Z * Z / 4:.6f} / ({n} * {n}))"
        rules[f"slo:fairlead_bad:low{window}"] = f"({bad} + {Z * Z / 2:.6f} / {n} - {half}) / (1 + {Z * Z:.6f} / {n})"
    return rules
