"""Numbers as files: RFC 4180, UTF-8, and no cell that a spreadsheet would run as a formula."""

import csv as rfc4180
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")


NUMBER = re.compile(r"[+-]?[\d.,]+( ?(%|pp|ms|s|k|M|G))?")


def unrun(value: Any) -> Any:
    """Return a value that no spreadsheet runs, a signed number in words as it is.

    >>> unrun("=1+1"), unrun("-3 %"), unrun("-1+cmd"), unrun("men")
    ("'=1+1", '-3 %', "'-1+cmd", 'men')
    """
    return value if isinstance(value, str) and NUMBER.fullmatch(value) else cell(value)


def cell(value: Any) -> Any:
    """Return a value that no spreadsheet runs (OWASP, CSV injection).

    >>> cell("=1+1"), cell(-3), cell("men")
    ("'=1+1", -3, 'men')
    """
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    r"""Return rows as CSV with a header, every text quoted.

    >>> csv([{"item": "=x", "n": 1}])
    b'"item","n"\r\n"\'=x",1\r\n'
    """
    out = io.StringIO()
    names = list(rows[0]) if rows else []
    writer = rfc4180.writer(out, quoting=rfc4180.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([cell(name) for name in names])
    for row in rows:
        writer.writerow([cell(row.get(name)) for name in names])
    return out.getvalue().encode()
