"""Installed plugins: found by entry point, checked, and never trusted with more than their part.

A plugin is a class without arguments, in a group of ``GROUPS`` under its own name. All have ``name``, ``version`` and
``protocol`` (the number of this contract); beyond that

- a scorer has ``scorer(settings)``, which returns an object with ``features`` (names as in ``FeatureTable``),
  ``score(table)`` (one number per row of the table, higher is better), and perhaps ``categories``;
- an enricher has ``outputs`` (key → ``str``, ``float``, ``int`` or ``bool``) and ``enrich(asked)``, plain or async,
  which returns some of them;
- a source has ``find(asked, quota)``, plain or async, which returns item ids, best first;
- a model has ``load(folder, settings)``, which returns what ``scorer`` returns, from the files of a registered version.

A scorer must give the same numbers for the same table: a decision is computed again to prove it.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

import numpy as np

from scoring_core.live import Model
from scoring_core.scorers.protocol import Floats, Scores
from storage.errors import Invalid, Unavailable
from storage.records.events import Scalar
from storage.records.models import Calibration, ModelVersion
from storage.records.subjects import UserState

PluginKind = Literal["scorer", "enricher", "source", "model"]

PROTOCOL = 1
PREFIX = "plugin."
"""How a scorer plugin is called among the models."""
GROUPS: Mapping[PluginKind, str] = {
    "scorer": "fairlead.scorers",
    "enricher": "fairlead.enrichers",
    "source": "fairlead.sources",
    "model": "fairlead.models",
}
_METHODS: Mapping[PluginKind, str] = {"scorer": "scorer", "enricher": "enrich", "source": "find", "model": "load"}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_TYPES = (str, float, int, bool)

Call = Callable[[Callable[[Floats], Floats], Floats], Floats]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What enrichers and sources are told of a request whose subject agreed to be personalized; ``subject`` is a
    pseudonym, ``user`` what is known of the person (None: nothing)."""

    surface: str
    campaign: str | None
    subject: str | None
    session: str | None
    slots: int
    context: Mapping[str, Scalar]
    candidates: tuple[str, ...] | None = None
    query: str | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    user: UserState | None = None
    now: int


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that keeps the contract; ``digest`` is that of its name, version and source file."""

    kind: PluginKind
    name: str
    version: str
    digest: str
    made: Any


@dataclass(frozen=True, slots=True)
class Broken:
    """A plugin that was skipped, and why."""

    kind: PluginKind
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plugins:
    """All plugins by kind and name, and those that were skipped."""

    found: Mapping[tuple[PluginKind, str], Plugin] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()

    def of(self, kind: PluginKind) -> dict[str, Plugin]:
        """Return the plugins of a kind by name."""
        return {name: plugin for (its, name), plugin in self.found.items() if its == kind}


@cache
def installed() -> Plugins:
    """Return the plugins of this environment, loaded once."""
    return gather((kind, point) for kind, group in GROUPS.items() for point in entry_points(group=group))


def gather(points: Iterable[tuple[PluginKind, EntryPoint]]) -> Plugins:
    """Load each entry point; one that cannot be loaded or breaks the contract is named with the reason."""
    found: dict[tuple[PluginKind, str], Plugin] = {}
    broken = []
    for kind, point in points:
        try:
            plugin = _loaded(kind, point)
            if (kind, plugin.name) in found:
                raise Invalid("another plugin has this name")
            found[kind, plugin.name] = plugin
        except Exception as error:  # whatever another's code raises: it is named, and the rest goes on
            reason = str(error) if isinstance(error, Invalid) else type(error).__name__
            broken.append(Broken(kind, point.name, reason))
    return Plugins(found, tuple(broken))


def _loaded(kind: PluginKind, point: EntryPoint) -> Plugin:
    made = point.load()()
    wrong = {
        "its name is not that of its entry point, or not of lower-case letters, digits, dash, underscore": (
            made.name != point.name or not _NAME.fullmatch(made.name)
        ),
        "its version is not of letters, digits, dots, dashes": not _VERSION.fullmatch(made.version),
        f"it is written for another protocol than {PROTOCOL}": made.protocol != PROTOCOL,
        f"it has no {_METHODS[kind]}()": not callable(getattr(made, _METHODS[kind], None)),
        "its outputs are not of str, float, int, bool": kind == "enricher"
        and not all(isinstance(key, str) and type_ in _TYPES for key, type_ in made.outputs.items()),
    }
    for reason, holds in wrong.items():
        if holds:
            raise Invalid(reason)
    return Plugin(kind, made.name, made.version, _digest(made), made)


def _digest(made: Any) -> str:
    source = Path(inspect.getfile(type(made))).read_bytes()
    return sha256(f"{made.name}/{made.version}/".encode() + source).hexdigest()


@dataclass(eq=False)
class PluginScorer:
    """A plugin's scorer behind the house's protocol; ``call`` is how it is called (the edge sets deadline and circuit).

    It may neither sample nor be an ensemble: only what the house computes is recorded as a chance or a confidence.
    """

    name: str
    version: str
    digest: str
    features: tuple[str, ...] = ()
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    make: Callable[[Mapping[str, Any]], Any] | None = field(default=None, repr=False)
    made: Any = field(default=None, repr=False)
    call: Call = field(default=lambda score, table: score(table), repr=False)

    def told(self, settings: Mapping[str, Any]) -> "PluginScorer":
        """Return the scorer with a policy's settings.

        Raises
        ------
        Invalid
            If the plugin refuses them, or breaks the contract.
        """
        if self.make is None:
            return self
        try:
            made = self.make(dict(settings))
            features = tuple(str(name) for name in made.features)
            categories = {str(name): tuple(values) for name, values in getattr(made, "categories", {}).items()}
        except Exception as error:  # another's code
            raise Invalid(f"plugin {self.name} refuses its settings: {type(error).__name__}") from None
        return replace(self, features=features, categories=categories, made=made)

    def score(self, table: Floats) -> Scores:
        """Score every row.

        Raises
        ------
        Invalid
            If the plugin gives something else than one finite number per row.
        """
        return Scores(self.call(self._scored, table.copy()), np.empty((len(table), 0)))

    def _scored(self, table: Floats) -> Floats:
        rows = len(table)
        values = np.array(self.made.score(table), dtype=np.float64)
        if values.shape != (rows,) or not np.isfinite(values).all():
            raise Invalid(f"plugin {self.name} gave something else than one finite number per row")
        return values


def failing(scorer: PluginScorer) -> PluginScorer:
    """Return the scorer as it was when it gave nothing: a replay takes that from the record, since another try might
    succeed."""

    def refuse(_score: Callable[[Floats], Floats], _table: Floats) -> Floats:
        raise Unavailable("this scorer gave nothing")

    return replace(scorer, call=refuse)


def scorers(plugins: Plugins) -> dict[str, Model]:
    """Return the scorer plugins as models, by the names that records call them."""
    return {
        f"{PREFIX}{name}": Model(
            PluginScorer(f"{PREFIX}{name}", plugin.version, plugin.digest, make=plugin.made.scorer), Calibration()
        )
        for name, plugin in plugins.of("scorer").items()
    }


def folder_digest(folder: Path) -> str:
    """Return the SHA-256 over names and contents of a folder's files, in hex."""
    whole = sha256()
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0")
        whole.update(sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def load_model(version: ModelVersion, home: Path) -> Model:
    """Load a registered version of kind ``plugin``: its ``parameters`` name the ``plugin``, the ``plugin_version`` that
    it was registered with, and the ``settings``.

    Raises
    ------
    Unavailable
        If the files are not those that were registered, or the plugin is gone, has another version, or refuses them.
    """
    told = f"model {version.name} {version.version}"
    plugin = installed().of("model").get(str(version.parameters.get("plugin")))
    if plugin is None or plugin.version != version.parameters.get("plugin_version"):
        raise Unavailable(f"{told}: the plugin that it was registered with is not installed in that version")
    folder = home / version.path
    if not folder.is_dir() or folder_digest(folder) != version.digest:
        raise Unavailable(f"{told}: its files are not those that were registered")
    digest = sha256(f"{version.digest}/{plugin.digest}".encode()).hexdigest()
    bare = PluginScorer(version.name, version.version, digest, make=lambda settings: plugin.made.load(folder, settings))
    try:
        scorer = bare.told(version.parameters.get("settings", {}))
    except Invalid as error:
        raise Unavailable(f"{told}: {error}") from None
    return Model(replace(scorer, make=None), version.calibration, scorer.categories)
