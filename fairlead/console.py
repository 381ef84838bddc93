"""What a command says: data on stdout, talk on stderr, errors with their remedy and an exit code."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dashboard.control import SILENT
from storage.errors import FairleadError, Invalid
from storage.records import clock


def say(text: str) -> None:
    """Talk to the person: on stderr, never part of the data."""
    sys.stderr.write(f"{printable(text)}\n")
    sys.stderr.flush()


def printable(value: Any) -> str:
    r"""Return a value as text that moves no cursor and changes no colour.

    >>> printable("a\x1b[31mb")
    'a�[31mb'
    >>> printable(None)
    ''
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode() if _nested(value) else str(value)
    return "".join(char if char.isprintable() or char == "\n" else "�" for char in text)


def _cell(name: str, value: Any) -> str:
    """Return a value as a table shows it: instants as people read them."""
    if isinstance(value, int) and (name == "at" or name.endswith("_at")):
        return clock.iso(value // clock.SECOND * clock.SECOND)
    return printable(value)


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple)


def emit(value: Any, *, as_json: bool, columns: Sequence[str] = ()) -> None:
    """Print data on stdout: one JSON document, or a table of ``columns`` (all, where none are named)."""
    if as_json:
        sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode() + "\n")
        sys.stdout.flush()
        return
    console = Console(highlight=False, soft_wrap=not sys.stdout.isatty())
    if isinstance(value, Mapping):
        grid = Table.grid(padding=(0, 2))
        for key, content in value.items():
            grid.add_row(Text(printable(key), style="bold"), Text(_cell(str(key), content)))
        console.print(grid)
        return
    if not isinstance(value, list | tuple):
        console.print(Text(printable(value)))
        return
    names = list(columns) or list(dict.fromkeys(key for row in value for key in row))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in value:
        table.add_row(*(Text(_cell(name, row.get(name))) for name in names))
    if value:
        console.print(table)
    else:
        say("nothing here yet")


def complain(error: FairleadError) -> int:
    """Print an error with its code and every problem; return the exit code."""
    say(f"fairlead: {error} [{error.code}]")
    if str(error) == SILENT:
        say("  start it with `fairlead up` or `fairlead control`, or name another with FAIRLEAD_CONTROL_URL")
    if isinstance(error, Invalid):
        for problem in error.problems:
            if problem.message not in str(error):
                say(f"  {problem.field}: {problem.message}")
    return error.exit_code


def agreed(*, yes: bool, reason: str | None, action: str) -> str:
    """Return the reason for an action once the person stands by it; never waits where nobody can answer.

    Raises
    ------
    Invalid
        Without a terminal, when ``--yes`` or ``--reason`` is missing; or when the person says no.
    """
    interactive = sys.stdin.isatty() and sys.stderr.isatty()
    if not interactive and (not yes or not reason):
        missing = " and ".join(flag for flag, given in (("--yes", yes), ("--reason", bool(reason))) if not given)
        raise Invalid(f"{action} needs {missing} where there is no terminal to ask at")
    import typer

    if not reason:
        reason = typer.prompt(f"Why {action}? (at least 10 characters)", err=True)
    if not yes and not typer.confirm(f"{action}?", err=True):
        raise Invalid("nothing was changed")
    return str(reason)
