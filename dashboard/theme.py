"""Theme tokens, read from ``entry/.streamlit/config.toml``, and the one Plotly template built from them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import plotly.graph_objects as go
from plotly.colors import get_colorscale, sample_colorscale

Mode = Literal["light", "dark"]

SETTINGS = Path(__file__).parent / "entry" / ".streamlit" / "config.toml"
SEQUENTIAL = "cividis"
DIVERGING = "PuOr"
SHADES = 256
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
FONT = '"Source Sans", "Source Sans Pro", system-ui, sans-serif'
INVISIBLE = "rgba(0,0,0,0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """The tokens of one mode; ``series`` are line colours, each with its own dash in ``DASHES``."""

    mode: Mode
    ground: str
    panel: str
    ink: str
    muted: str
    line: str
    accent: str
    good: str
    warn: str
    bad: str
    info: str
    series: tuple[str, ...]


@cache
def theme(mode: Mode) -> Theme:
    """Return the tokens of a mode as the settings file has them."""
    table: dict[str, Any] = tomllib.loads(SETTINGS.read_text("utf-8"))["theme"][mode]
    return Theme(
        mode=mode,
        ground=table["backgroundColor"],
        panel=table["secondaryBackgroundColor"],
        ink=table["textColor"],
        muted=table["grayTextColor"],
        line=table["borderColor"],
        accent=table["primaryColor"],
        good=table["greenTextColor"],
        warn=table["yellowTextColor"],
        bad=table["redTextColor"],
        info=table["blueTextColor"],
        series=tuple(table["chartCategoricalColors"]),
    )


def channels(colour: str) -> tuple[float, float, float]:
    """Return red, green and blue, 0 to 255, of ``#rrggbb`` or ``rgb(r, g, b)``.

    >>> channels("#0B6E75")
    (11.0, 110.0, 117.0)
    """
    if colour.startswith("#"):
        return (float(int(colour[1:3], 16)), float(int(colour[3:5], 16)), float(int(colour[5:7], 16)))
    red, green, blue = (float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
    return red, green, blue


def luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2, definition of relative luminance)."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2, success criterion 1.4.3).

    >>> round(contrast("#000000", "#ffffff"), 1)
    21.0
    """
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@cache
def legible(background: str) -> str:
    """Return black or white, whichever reads better on ``background``."""
    return max(("#000000", "#ffffff"), key=lambda ink: contrast(ink, background))


def faded(colour: str, share: float) -> str:
    """Return a colour with an opacity.

    >>> faded("#0B6E75", 0.2)
    'rgba(11,110,117,0.2)'
    """
    red, green, blue = channels(colour)
    return f"rgba({red:.0f},{green:.0f},{blue:.0f},{share:g})"


@cache
def _shades(scale: str) -> tuple[str, ...]:
    return tuple(sample_colorscale(get_colorscale(scale), [step / (SHADES - 1) for step in range(SHADES)]))


def shade(scale: str, at: float) -> str:
    """Return the colour of a scale at 0 to 1, one of 256."""
    return _shades(scale)[round(min(1.0, max(0.0, at)) * (SHADES - 1))]


@cache
def template(look: Theme) -> go.layout.Template:
    """Return the one template that every figure of a mode carries."""
    axis = {
        "gridcolor": look.line,
        "linecolor": look.line,
        "zerolinecolor": look.line,
        "tickcolor": look.line,
        "tickfont": {"color": look.muted, "size": 12},
        "title": {"font": {"color": look.muted, "size": 12}, "standoff": 8},
        "automargin": True,
        "fixedrange": True,
    }
    return go.layout.Template(
        layout={
            "paper_bgcolor": INVISIBLE,
            "plot_bgcolor": INVISIBLE,
            "font": {"family": FONT, "color": look.ink, "size": 13},
            "colorway": list(look.series),
            "xaxis": axis | {"showgrid": False},
            "yaxis": axis,
            "margin": {"l": 8, "r": 8, "t": 16, "b": 8},
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "yanchor": "bottom",
                "font": {"color": look.muted, "size": 12},
            },
            "hoverlabel": {
                "bgcolor": look.panel,
                "bordercolor": look.line,
                "font": {"family": FONT, "color": look.ink, "size": 13},
                "align": "left",
            },
            "dragmode": False,
            "separators": ".,",
        }
    )


def framed(figure: go.Figure, look: Theme, *, title: str, caption: str) -> go.Figure:
    """Return a copy of a figure to be taken along: on the mode's ground, with a title and a caption."""
    copy = go.Figure(figure)
    height = copy.layout.height or 300
    copy.update_layout(
        paper_bgcolor=look.panel,
        height=height + 64,
        margin={"l": 16, "r": max(16, copy.layout.margin.r or 0), "t": 96, "b": 16},
        title={
            "text": title,
            "font": {"size": 15, "color": look.ink},
            "subtitle": {"text": caption, "font": {"size": 10, "color": look.muted}},
            "x": 0,
            "xref": "container",
            "pad": {"l": 16, "t": 12},
            "y": 1,
            "yref": "container",
            "yanchor": "top",
        },
    )
    return copy
