"""The data of the first run: the Open Bandit rows with a progress bar, or synthetic ones in their place."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairlead.console import say
from fairlead.wiring import Store
from storage import catalogue
from storage.errors import Unavailable

if TYPE_CHECKING:
    from collectors.open_bandit import ImportReport


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show how far something has come: a bar at a terminal, a line at the end elsewhere; always on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    if not sys.stderr.isatty():
        say(f"{what} …")
        yield lambda _done, _total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def import_with_progress(store: Store, *, wheel: Path | None = None) -> "ImportReport":
    """Import the Open Bandit rows; fetch their wheel by its package name unless it is given."""
    from collectors.open_bandit import fetch_wheel, import_open_bandit

    with progress("importing 60,000 logged impressions (Open Bandit Dataset)") as show:
        source = wheel or fetch_wheel(store.home / "downloads")
        report = import_open_bandit(store.database, store.lake, wheel=source, now=store.now(), progress=show)
    if not report.already:
        seen = f"{report.rows} rows: {report.impressions} impressions, {report.clicks} clicks, {report.items} items"
        say(f"  {seen}" + "".join(f"; {count} refused: {why}" for why, count in sorted(report.reasons.items())))
    return report


def ensure_data(store: Store) -> Mapping[str, Any]:
    """See that there is something to show and to learn from; return the arguments of a training on it."""
    from fairlead.presets import synthetic

    made_up = {"origins": ["simulated"]}
    with store.database.read() as read:
        if catalogue.version(read) > 0:
            return made_up if synthetic.present(read) else {}
    try:
        import_with_progress(store)
    except Unavailable as error:
        say(f"  the Open Bandit Dataset cannot be had: {error}")
        say("  going on with synthetic data; every record and chart of it is marked as simulated")
        synthetic.generate(store, now=store.now())
        return made_up
    return {}
