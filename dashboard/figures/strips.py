"""What each check said over time, as strips of colour, one above the other."""

from collections.abc import Sequence

import plotly.graph_objects as go

from dashboard.figures.marked import mark
from dashboard.queries.checks import Line
from dashboard.queries.marks import Mark
from dashboard.text import lasting, safe
from dashboard.theme import Theme, faded, template
from storage.records.clock import HOUR, SECOND, moment
from storage.records.findings import Verdict

ROW = 26
WORDS: dict[Verdict, str] = {"pass": "fine", "unknown": "not enough data", "warn": "look", "fail": "harm shown"}
PATTERNS: dict[Verdict, str] = {"pass": "", "unknown": ".", "warn": "/", "fail": "x"}
"""Colour is never the only cue."""


def strips(found: Sequence[Line], look: Theme, *, start: int, end: int, marks: Sequence[Mark] = ()) -> go.Figure:
    """Return one strip per check, from its first look in the range on; where none looked there is nothing."""
    colours: dict[Verdict, str] = {
        "pass": look.good,
        "unknown": faded(look.muted, 0.45),
        "warn": look.warn,
        "fail": look.bad,
    }
    figure = go.Figure(layout={"template": template(look)})
    known = min((one.since for line in found for one in line.stretches), default=start)
    start = max(start, min(known, end - HOUR))
    names = [safe(line.check.title, "figure", limit=16) for line in found]
    for word, text in WORDS.items():
        pieces = [
            (place, max(one.since, start), min(max(one.seen, one.since + 30 * SECOND), end), one.sentence)
            for place, line in enumerate(found)
            for one in line.stretches
            if one.verdict == word
        ]
        figure.add_trace(
            go.Bar(
                name=text,
                orientation="h",
                y=[place for place, *_ in pieces],
                base=[moment(begin) for _, begin, *_ in pieces],
                x=[(until - begin) / 1_000 for _, begin, until, _ in pieces],
                width=0.62,
                marker={
                    "color": colours[word],
                    "line": {"width": 0},
                    "pattern": {
                        "shape": PATTERNS[word],
                        "fillmode": "overlay",
                        "size": 6,
                        "solidity": 0.25,
                        "fgcolor": look.panel,
                    },
                },
                customdata=[
                    [names[place], lasting(until - begin), safe(sentence, "figure", limit=140)]
                    for place, begin, until, sentence in pieces
                ],
                hovertemplate="<b>%{customdata[0]}</b>: "
                + text
                + ", %{customdata[1]}<br>%{customdata[2]}<extra></extra>",
            )
        )
    figure.update_layout(barmode="overlay", height=70 + ROW * max(1, len(found)), bargap=0.2)
    figure.update_xaxes(type="date", range=[moment(start), moment(end)])
    figure.update_yaxes(
        tickvals=list(range(len(found))),
        ticktext=names,
        range=[len(found) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    mark(figure, look, zone="UTC", within=(start, end), marks=[one for one in marks if one.at >= start])
    return figure
