"""Words and numbers for the eye: untrusted names made harmless, units, ages, verdicts."""

import re
from math import floor, log10
from typing import Literal

from storage.records.clock import DAY, HOUR, MINUTE, SECOND, moment

JOINER = "\u2060"
SERVED = {"model": "policy's scorer"}
"""What served a decision, in words: a policy's own scorer may be a model or a list of popular items."""
_HIDDEN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_PUNCTUATION = re.compile(r"([!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~])")
_LINK = re.compile(r"(?i)(:)(?=//)|(www)(?=\.)|(@)|(mailto)(?=:)")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}


def plain(text: object, limit: int = 0) -> str:
    r"""Return one line of text without control and direction characters, cut at ``limit``.

    >>> plain("men\\u202e\\n12", 4)
    'men…'
    """
    line = " ".join(_HIDDEN.sub("", str(text)).split())
    return line if not limit or len(line) <= limit else line[: limit - 1] + "…"


def safe(text: object, within: Literal["markdown", "figure"] = "markdown", *, limit: int = 120) -> str:
    r"""Return an untrusted name so that Markdown or a Plotly label shows it letter by letter.

    Every punctuation mark is escaped, links are broken with an invisible joiner (Streamlit's Markdown links bare
    addresses after escapes are resolved); in figures the pseudo-HTML is escaped.

    >>> safe("![x](http://evil.test/p.png)").startswith("\\!\\[x\\]\\(http")
    True
    >>> safe("<b>men</b>", "figure")
    '&lt;b&gt;men&lt;/b&gt;'
    """
    line = plain(text, limit)
    if within == "figure":
        return "".join(_ENTITIES.get(letter, letter) for letter in line).replace("$", f"{JOINER}$")
    return _PUNCTUATION.sub(r"\\\1", _LINK.sub(lambda found: found.group(0) + JOINER, line))


def count(value: float | None) -> str:
    """Return a count with separators; unknown is a dash.

    >>> count(60000), count(None)
    ('60,000', '–')
    """
    return "–" if value is None else f"{value:,.0f}"


def short(value: float) -> str:
    """Return a count in four letters at most.

    >>> short(4321), short(87), short(1_250_000)
    ('4.3k', '87', '1.2M')
    """
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.0f}{unit}" if value >= 100 * size else f"{value / size:.1f}{unit}"
    return f"{value:.0f}"


def digits(value: float, significant: int = 3) -> str:
    """Return a number with three significant digits and no exponent.

    >>> digits(0.4), digits(12.345), digits(1234.5), digits(0.0)
    ('0.400', '12.3', '1,234', '0')
    """
    if value == 0:
        return "0"
    if abs(value) < 1e-6:
        return f"{value:.1e}"
    whole = floor(log10(abs(value))) + 1
    return f"{value:,.{max(0, significant - whole)}f}"


def percent(rate: float | None, significant: int = 2) -> str:
    """Return a ratio as a percentage.

    >>> percent(0.00463), percent(0.5, 3), percent(None)
    ('0.46 %', '50.0 %', '–')
    """
    return "–" if rate is None else f"{digits(100 * rate, significant)} %"


def interval(low: float, high: float) -> str:
    """Return a 95 % interval of a ratio, in percent without the sign.

    >>> interval(0.0038, 0.0055)
    '0.38–0.55'
    """
    return f"{digits(100 * low, 2)}–{digits(100 * high, 2)}"


def milliseconds(seconds: float | None) -> str:
    """Return a duration in milliseconds, three significant digits.

    >>> milliseconds(0.01234), milliseconds(None)
    ('12.3 ms', '–')
    """
    return "–" if seconds is None else f"{digits(1000 * seconds)} ms"


def lasting(microseconds: float) -> str:
    """Return a span in its largest fitting unit.

    >>> lasting(12 * SECOND), lasting(90 * MINUTE), lasting(3 * DAY)
    ('12 s', '1.5 h', '3 d')
    """
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if microseconds >= size:
            return f"{round(microseconds / size, 1):g} {unit}"
    return f"{max(0, microseconds) / SECOND:.0f} s"


def ago(at: int | None, now: int) -> str:
    """Return how long ago something was.

    >>> ago(0, 5 * MINUTE), ago(None, 0)
    ('5 min ago', 'never')
    """
    return "never" if at is None else f"{lasting(now - at)} ago"


def stamp(at: int | None, *, seconds: bool = True) -> str:
    """Return an instant in UTC, to the second.

    >>> stamp(0)
    '1970-01-01 00:00:00'
    """
    if at is None:
        return "–"
    return moment(at).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")
