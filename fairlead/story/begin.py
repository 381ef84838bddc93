"""Where the rest of the product meets the story: it is told once, before anything else runs, and its people stay."""

import logging
import random
from collections.abc import Mapping

from fairlead import logs
from fairlead.clicks import Logged
from fairlead.console import say
from fairlead.datasets import progress as bar
from fairlead.settings import Settings
from fairlead.story.crowd import newcomer, read_contexts
from fairlead.story.progress import give_up, progress, wanted
from fairlead.story.script import NEWCOMERS, audience
from fairlead.story.tastes import SEED, Tastes
from fairlead.wiring import Store
from storage.records.items import Item

__all__ = ["give_up", "live_through", "people_of", "wanted"]

DRAWN = 5_000


def live_through(settings: Settings, store: Store) -> None:
    """Tell the story of this installation, or what is left of it."""
    from fairlead.story.tell import Teller

    logs.configure("story", level=logging.WARNING)
    with bar("living through thirty simulated days (--no-story: none)") as show:
        ended = Teller(settings, store).tell(show)
    say(f"  {len(ended.played)} scenes played; every row of it is marked simulated or imported")


def people_of(store: Store, items: Mapping[str, Item]) -> Logged | None:
    """Return who comes to an installation whose past is a story, and what they like: the people of its end, so that
    its present goes on from there. None where it has no story."""
    if progress(store) is None:
        return None
    logged, rng = read_contexts(store.database, store.lake), random.Random(SEED)
    drawn = rng.choices(logged.contexts, logged.weights, k=DRAWN)
    said = audience(logged)
    contexts = [(key, newcomer(context, said) if rng.random() < NEWCOMERS else context) for key, context in drawn]
    return Logged(contexts=contexts, model=Tastes(items, now=store.now), impressions=sum(logged.weights), clicks=0)
