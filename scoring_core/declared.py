"""The names that conditions may use, with their types, for whoever writes one."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from scoring_core.circumstances import COMPUTED
from storage.records.policies import Attribute, Installation
from storage.records.subjects import COUNTERS

NUMBER = Attribute(type="number")
TEXT = Attribute(type="string")
LIST = Attribute(type="list")

EVERYWHERE: Mapping[str, Attribute] = MappingProxyType(
    {
        **{f"user.{name}": NUMBER for name in COUNTERS},
        **{f"user.{name}": LIST if name in ("recent", "segments") else NUMBER for name in COMPUTED},
        "session.sequence": NUMBER,
        "session.known": Attribute(type="boolean"),
        "time.hour": NUMBER,
        "time.weekday": NUMBER,
        "time.date": TEXT,
    }
)
"""What every condition may ask, whatever an installation declares."""
OPEN: Mapping[str, Attribute] = MappingProxyType({"plugin.": Attribute(type="any"), "user.segment.": NUMBER})
"""What may follow these is known to plugins, or is the name of a segment."""


class Declared(Mapping[str, Attribute]):
    """Declared names; one below a name of ``OPEN`` is declared, too."""

    def __init__(self, names: Mapping[str, Attribute]) -> None:
        self._names = names

    def __getitem__(self, name: str) -> Attribute:
        found = self._names.get(name) or next((kind for root, kind in OPEN.items() if _below(name, root)), None)
        if found is None:
            raise KeyError(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def declared(installation: Installation, *surfaces: str) -> Mapping[str, Attribute]:
    """Return what conditions on these surfaces may ask, on all of them where none is named: the names of their
    contexts, what people may state of themselves, and what the house knows of person, session and time."""
    places = surfaces or tuple(installation.surfaces)
    context = {
        name: attribute
        for place in places
        if place in installation.surfaces
        for name, attribute in installation.surfaces[place].context.items()
    }
    stated = {f"user.{name}": attribute for name, attribute in installation.attributes.items()}
    return Declared({**stated, **EVERYWHERE, **context})


def _below(name: str, root: str) -> bool:
    return name.startswith(root) and len(name) > len(root)
