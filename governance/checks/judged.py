"""A family of features judged together: each by the measure that is pinned to it, both lights, one verdict of red."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from governance.checks.compared import Compared, missingness
from governance.checks.methods import DEFAULTS, METHODS
from governance.checks.shift import Binned, lights
from storage.errors import Invalid, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What a measure says of one feature. ``q`` is ``p_value`` over the whole family (Benjamini and Hochberg, 1995);
    both lights are None where a window has fewer than 500 rows."""

    feature: str
    method: str
    effect: float
    threshold: float
    p_value: float
    q: float
    statistical: bool | None
    material: bool | None
    red: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One feature measured, not yet judged within its family: what stays of it when its values are forgotten.
    ``rows`` are those that its measure sees."""

    feature: str
    kind: str
    method: str
    effect: float
    null: float
    p_value: float
    rows: tuple[int, int]
    rows_of_all: tuple[int, int]
    missing: tuple[int, int]
    binned: Binned


def pinned(feature: str, kind: str, methods: Mapping[str, str]) -> str:
    """Return the measure of a feature: its own, else that of its kind (``number``, ``category``), else the default.

    Raises
    ------
    Invalid
        If there is none of this name, or it does not measure this kind.
    """
    name = methods.get(feature) or methods.get(kind) or DEFAULTS["number" if kind == "number" else "category"]
    if name not in METHODS or kind not in METHODS[name].kinds:
        able = ", ".join(known for known, method in METHODS.items() if kind in method.kinds)
        message = f"a {kind} is measured by one of {able}"
        raise Invalid(f"methods: {message}", problems=(Problem(field="methods", message=message),))
    return name


def measure(pair: Compared, methods: Mapping[str, str]) -> list[Measured]:
    """Measure a feature; where its measure does not see missing values and there are any, these are a second one."""
    name = pinned(pair.feature, pair.kind, methods)
    method, binned = METHODS[name], pair.binned()
    known = bool(min(pair.before.sum(), pair.now.sum())) or (method.missing and bool(min(pair.rows)))
    found = Measured(
        feature=pair.feature,
        kind=pair.kind,
        method=name,
        effect=method.effect(pair, binned) if known else 0.0,
        null=method.null(pair, binned) if known else 0.0,
        p_value=method.surprise(pair, binned) if known else 1.0,
        rows=pair.rows if method.missing else (int(pair.before.sum()), int(pair.now.sum())),
        rows_of_all=pair.rows,
        missing=pair.missing,
        binned=binned,
    )
    if method.missing or not any(pair.missing):
        return [found]
    return [found, *measure(missingness(pair), {})]


def judge_all(measured: Sequence[Measured]) -> list[Judged]:
    """Return the verdict of every feature within its family."""
    shown = lights(
        [each.effect for each in measured],
        [each.null for each in measured],
        [each.p_value for each in measured],
        [each.rows for each in measured],
    )
    return [
        Judged(
            feature=each.feature,
            method=each.method,
            effect=each.effect,
            threshold=light.threshold,
            p_value=each.p_value,
            q=light.q,
            statistical=light.statistical,
            material=light.material,
            red=light.red,
        )
        for each, light in zip(measured, shown, strict=True)
    ]


def measure_all(pairs: Iterable[Compared], methods: Mapping[str, str]) -> list[Measured]:
    """Measure features one after another; none of their values is kept."""
    return [found for pair in pairs for found in measure(pair, methods)]
