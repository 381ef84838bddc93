"""From what a policy says of its scorer to the scorer: every scorer, its parameters, and how it is made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from scoring_core.live import Model
from scoring_core.plugins import PREFIX, PluginScorer
from scoring_core.scorers.epsilon_greedy import EpsilonGreedyScorer
from scoring_core.scorers.formula import AFFINITY, WEIGHTS, FormulaScorer
from scoring_core.scorers.hybrid import Bundle, HybridScorer, Normalisation, Part, joined
from scoring_core.scorers.linear import LinearScorer, LinThompsonScorer, LinUcbScorer
from scoring_core.scorers.null import NullScorer
from scoring_core.scorers.popular import PopularScorer
from scoring_core.scorers.protocol import Scorer
from scoring_core.scorers.thompson import ThompsonScorer
from storage.errors import Invalid, Problem
from storage.records.document import document, parse
from storage.records.models import Calibration
from storage.records.policies import ScorerChoice

Chosen = tuple[str | None, Model | None]
"""The name under which the registry or a plugin keeps the model (None: the scorer needs none), and the model itself
(None: it is not in service)."""

DEFAULT_MODEL = "ranker"
SAMPLING = frozenset({"thompson", "linear_thompson", "epsilon_greedy"})
"""The scorers that draw each slot's item; a fair re-rank before them would be undone."""

Weight = Annotated[float, Field(ge=0.0, le=1e6)]
Positive = Annotated[float, Field(gt=0.0, le=1e9)]
Chance = Annotated[float, Field(ge=0.0, le=1.0)]
Name = Annotated[str, Field(min_length=1, max_length=64)]


@document
class Nothing:
    """Parameters of a scorer that takes none."""


@document
class OfModel:
    """``model`` names the model in service that scores."""

    model: Name


@document
class OfFormula:
    """``weights`` of the components, those not named keep the house's; the rest as ``FormulaScorer`` says."""

    weights: Mapping[str, Weight] = field(default_factory=dict)
    match_by: Annotated[str, Field(pattern=r"^(user\.affinity|model\.[a-z0-9][a-z0-9_-]{0,63})$")] = AFFINITY
    stock_half: Positive = 10.0
    full_margin: Positive = 1.0
    half_life_days: Positive = 30.0
    southern: bool = False


@document
class OfThompson:
    """What every item starts with, and the least chance of each at a slot."""

    prior_successes: Positive = 1.0
    prior_failures: Positive = 1.0
    floor: Chance = 0.0


@document
class OfEpsilonGreedy:
    """The share that goes to all items alike, and what every item starts with."""

    epsilon: Chance = 0.1
    prior_successes: Positive = 1.0
    prior_failures: Positive = 1.0


@document
class OfLinUcb:
    """The linear model, and how many standard deviations are added to what it expects."""

    model: Name
    alpha: Weight = 1.0


@document
class OfLinThompson:
    """The linear model, how wide its posterior is drawn, and the least chance of each item at a slot."""

    model: Name
    width: Positive = 1.0
    floor: Chance = 0.0


@document
class OfPart:
    """One part of a blend: a scorer with its parameters, or a ``retriever``."""

    weight: Positive = 1.0
    scorer: ScorerChoice | None = None
    retriever: str = ""


@document
class OfHybrid:
    """What is blended, and what makes it comparable."""

    parts: Annotated[tuple[OfPart, ...], Field(min_length=1, max_length=16)]
    normalise: Normalisation = "rank"


@document
class OfPlugin:
    """The plugin, and what it is told."""

    plugin: Name
    settings: Mapping[str, Any] = field(default_factory=dict)


Models = Mapping[str, Model]


def _built_in(scorer: Scorer) -> Chosen:
    return None, Model(scorer, Calibration(), getattr(scorer, "categories", {}))


def _formula(told: OfFormula) -> FormulaScorer:
    return FormulaScorer(
        weights={**WEIGHTS, **told.weights},
        match_by=told.match_by,
        stock_half=told.stock_half,
        full_margin=told.full_margin,
        half_life_days=told.half_life_days,
        southern=told.southern,
    )


def _linear(name: str, models: Models, wrap: Callable[[LinearScorer], Scorer]) -> Chosen:
    model = models.get(name)
    if model is None or not isinstance(model.scorer, LinearScorer):
        return name, None
    return name, Model(wrap(model.scorer), model.calibration, model.categories)


def _hybrid(told: OfHybrid, models: Models) -> Chosen:
    parts, trained, whole = [], {}, True
    for part in told.parts:
        if part.scorer is None:
            parts.append(Part(part.weight, retriever=part.retriever))
            continue
        name, model = choose(part.scorer, models)
        whole = whole and model is not None
        parts.append(Part(part.weight, model=model))
        if name is not None and model is not None:
            trained[name] = model
    wanted = "+".join(dict.fromkeys(name for part in told.parts if part.scorer for name in _named(part.scorer)))
    if not whole:
        return wanted or None, None
    version = joined(trained)[1] if trained else "1"
    scorer = HybridScorer(tuple(parts), normalise=told.normalise, version=version)
    return wanted or None, Model(scorer, Calibration(), scorer.categories)


def _named(choice: ScorerChoice) -> list[str]:
    name = choose(choice, {})[0]
    return [] if name is None else [name]


def _plugin(told: OfPlugin, models: Models) -> Chosen:
    name = f"{PREFIX}{told.plugin}"
    model = models.get(name)
    if model is None or not isinstance(model.scorer, PluginScorer):
        return name, None
    try:
        scorer = model.scorer.told(told.settings)
    except Invalid:
        return name, None
    return name, Model(scorer, model.calibration, scorer.categories)


@dataclass(frozen=True, slots=True)
class Recipe:
    """The document of a scorer's parameters, and how the scorer comes of them and the models in service."""

    parameters: type[Any]
    make: Callable[[Any, Models], Chosen]


def _prior(told: OfThompson | OfEpsilonGreedy) -> tuple[float, float]:
    return told.prior_successes, told.prior_failures


RECIPES: Mapping[str, Recipe] = {
    "popular": Recipe(Nothing, lambda _told, _models: _built_in(PopularScorer())),
    "null": Recipe(Nothing, lambda _told, _models: _built_in(NullScorer())),
    "gbdt": Recipe(OfModel, lambda told, models: (told.model, models.get(told.model))),
    "model": Recipe(OfModel, lambda told, models: (told.model, models.get(told.model))),
    "formula": Recipe(OfFormula, lambda told, _models: _built_in(_formula(told))),
    "thompson": Recipe(
        OfThompson, lambda told, _models: _built_in(ThompsonScorer(prior=_prior(told), floor=told.floor))
    ),
    "epsilon_greedy": Recipe(
        OfEpsilonGreedy,
        lambda told, _models: _built_in(EpsilonGreedyScorer(epsilon=told.epsilon, prior=_prior(told))),
    ),
    "linucb": Recipe(
        OfLinUcb,
        lambda told, models: _linear(told.model, models, lambda linear: LinUcbScorer(linear, alpha=told.alpha)),
    ),
    "linear_thompson": Recipe(
        OfLinThompson,
        lambda told, models: _linear(
            told.model, models, lambda linear: LinThompsonScorer(linear, width=told.width, floor=told.floor)
        ),
    ),
    "hybrid": Recipe(OfHybrid, _hybrid),
    "plugin": Recipe(OfPlugin, _plugin),
}
"""Every scorer that a policy may name. ``model`` is any registered model that scores, one that a plugin loads among
them."""


def choose(choice: ScorerChoice, models: Models) -> Chosen:
    """Return the model that a policy's choice names; parameters that make no sense leave it without one, as a model
    that is not in service does."""
    recipe = RECIPES.get(choice.name)
    if recipe is None:
        return choice.name, None
    parameters = choice.parameters
    if choice.name == "gbdt" and "model" not in parameters:
        parameters = {"model": DEFAULT_MODEL}
    try:
        return recipe.make(parse(recipe.parameters, parameters), models)
    except Invalid:
        return choice.name, None


def parts_of(name: str, model: Model) -> dict[str, Model]:
    """Return the models that stand behind a record's ``model``, by the names under which a policy names them."""
    return dict(model.scorer.models) if isinstance(model.scorer, Bundle) else {name: model}


def choice_problems(choice: ScorerChoice, installed: Models | None = None) -> tuple[Problem, ...]:
    """Return what an author must mend in a choice; plugins are looked for among those ``installed`` here (None: they
    are not looked for)."""
    recipe = RECIPES.get(choice.name)
    if recipe is None:
        return (Problem(field="name", message=f"must be one of {', '.join(sorted(RECIPES))}"),)
    try:
        told = parse(recipe.parameters, choice.parameters)
    except Invalid as error:
        return tuple(Problem(field=f"parameters.{each.field}", message=_plain(each.message)) for each in error.problems)
    return tuple(
        Problem(field=f"parameters.{each.field}", message=each.message) for each in _told_problems(told, installed)
    )


def _plain(message: str) -> str:
    return {"Field required": "is missing", "Unexpected keyword argument": "is not taken by this scorer"}.get(
        message, message
    )


def _told_problems(told: Any, installed: Models | None) -> list[Problem]:
    found: list[Problem] = []
    if isinstance(told, OfFormula):
        unknown = sorted(set(told.weights) - set(WEIGHTS))
        if unknown:
            found.append(Problem(field="weights", message=f"are of {', '.join(WEIGHTS)}"))
        elif sum({**WEIGHTS, **told.weights}.values()) <= 0.0:
            found.append(Problem(field="weights", message="some must be above zero"))
    elif isinstance(told, OfHybrid):
        for place, part in enumerate(told.parts):
            found += _part_problems(f"parts.{place}", part, installed)
    elif isinstance(told, OfPlugin) and installed is not None:
        if f"{PREFIX}{told.plugin}" not in installed:
            found.append(Problem(field="plugin", message="no scorer plugin of that name is installed here"))
        elif _plugin(told, installed)[1] is None:
            found.append(Problem(field="settings", message="the plugin does not take these"))
    return found


def _part_problems(field_name: str, part: OfPart, installed: Models | None) -> list[Problem]:
    if (part.scorer is None) == (not part.retriever):
        return [Problem(field=field_name, message="name a scorer or a retriever, one of them")]
    if part.scorer is None:
        return []
    if part.scorer.name == "hybrid":
        return [Problem(field=f"{field_name}.scorer", message="a blend holds no blend")]
    return [
        Problem(field=f"{field_name}.scorer.{each.field}", message=each.message)
        for each in choice_problems(part.scorer, installed)
    ]
