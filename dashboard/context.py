"""What every page is given: who looks, at which range, and the two places it may read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dashboard.control import Control
from dashboard.span import Span
from dashboard.theme import Mode, Theme, theme
from storage.database import Database
from storage.records.access import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The person who looks, as the control API knows them."""

    principal: str
    role: str
    scopes: frozenset[str]
    solo: bool = False
    like: str = ""
    """The built-in role whose menu a role of the installation's own has; empty for a built-in one."""

    def may(self, scope: Scope) -> bool:
        """Tell whether the person carries ``scope``."""
        return scope.value in self.scopes


EPOCH = Span(key="24h", start=0, end=1, zone="UTC", live=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Context:
    """One page's surroundings in one run. ``refresh_s`` is None where the page does not refresh itself; ``links`` maps
    a page's key to what Streamlit links to; ``head`` tells up to which windows a page that refreshes itself reads."""

    database: Database
    control: Control
    me: Me
    now: int
    environment: str = "development"
    home: Path = field(default_factory=Path)
    mode: Mode = "light"
    span: Span = EPOCH
    refresh_s: int | None = None
    links: Mapping[str, Any] = field(default_factory=dict)
    head: str = ""

    @property
    def look(self) -> Theme:
        """The tokens of the mode in use."""
        return theme(self.mode)
