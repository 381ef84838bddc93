"""Every page: its name, the question it answers, who needs it first, and what it takes to open it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from dashboard.context import Context
from dashboard.pages import (
    access,
    alerts,
    caps,
    checks,
    consent,
    drift,
    experiments,
    explorer,
    fairness,
    heatmaps,
    insights,
    ledger,
    live,
    models,
    overview,
    policies,
    rules,
    segments,
    system,
    toggles,
    whatif,
)
from dashboard.view import Defaults
from storage.records.access import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page. ``first_for`` are the roles that find it in a section of their menu; others find it under "More"."""

    key: str
    title: str
    question: str
    icon: str
    scope: Scope
    draw: Callable[[Context], None]
    first_for: frozenset[str]
    defaults: Defaults = field(default_factory=Defaults)


EVERYONE = frozenset({"marketer", "data_scientist", "ops", "admin"})

PAGES = (
    Page(
        key="overview",
        title="Overview",
        question="Is it working, and what deserves a look?",
        icon=":material/explore:",
        scope=Scope.READ,
        draw=overview.page,
        first_for=EVERYONE,
        defaults=Defaults(span="all"),
    ),
    Page(
        key="live",
        title="Live",
        question="Is the engine fast, right and alive at this moment?",
        icon=":material/monitor_heart:",
        scope=Scope.READ,
        draw=live.page,
        first_for=frozenset({"ops", "admin"}),
        defaults=Defaults(span="1h", refresh_s=30),
    ),
    Page(
        key="heatmaps",
        title="Campaign heatmaps",
        question="When is a campaign clicked, where, on what, and by whom?",
        icon=":material/grid_on:",
        scope=Scope.READ,
        draw=heatmaps.page,
        first_for=frozenset({"marketer", "data_scientist", "admin"}),
        defaults=Defaults(span="all"),
    ),
    Page(
        key="segments",
        title="Segments",
        question="What kinds of people are there, how many, and what will they do next?",
        icon=":material/groups:",
        scope=Scope.READ,
        draw=segments.page,
        first_for=frozenset({"marketer", "data_scientist", "admin"}),
        defaults=Defaults(span="7d"),
    ),
    Page(
        key="experiments",
        title="Experiments",
        question="Is it shown to be better than doing without, and may the figures be believed?",
        icon=":material/science:",
        scope=Scope.READ,
        draw=experiments.page,
        first_for=frozenset({"marketer", "data_scientist", "admin"}),
        defaults=Defaults(span="30d"),
    ),
    Page(
        key="insights",
        title="Insights",
        question="Whose items are clicked by whom, who comes back, and how do others do?",
        icon=":material/lightbulb:",
        scope=Scope.READ,
        draw=insights.page,
        first_for=frozenset({"marketer", "data_scientist", "admin"}),
        defaults=Defaults(span="30d"),
    ),
    Page(
        key="fairness",
        title="Fairness",
        question="Are groups of people treated alike, as far as the data can tell?",
        icon=":material/balance:",
        scope=Scope.READ,
        draw=fairness.page,
        first_for=frozenset({"data_scientist", "admin"}),
        defaults=Defaults(ranged=False),
    ),
    Page(
        key="drift",
        title="Drift",
        question="Has the audience changed since the reference, and does it matter?",
        icon=":material/ssid_chart:",
        scope=Scope.READ,
        draw=drift.page,
        first_for=frozenset({"data_scientist", "admin"}),
        defaults=Defaults(ranged=False),
    ),
    Page(
        key="policies",
        title="Policies",
        question="What is served to whom, what would change, and how do we get back?",
        icon=":material/rule:",
        scope=Scope.READ,
        draw=policies.page,
        first_for=frozenset({"data_scientist", "ops", "admin"}),
        defaults=Defaults(ranged=False),
    ),
    Page(
        key="whatif",
        title="What if",
        question="What would a change have done to the traffic of the last days, and what would it have earned?",
        icon=":material/alt_route:",
        scope=Scope.READ,
        draw=whatif.page,
        first_for=frozenset({"marketer", "data_scientist", "admin"}),
        defaults=Defaults(ranged=False),
    ),
    Page(
        key="models",
        title="Models",
        question="Which models serve, are they any good, and how do we get back?",
        icon=":material/model_training:",
        scope=Scope.READ,
        draw=models.page,
        first_for=frozenset({"data_scientist", "admin"}),
        defaults=Defaults(ranged=False),
    ),
    Page(
        key="rules",
        title="Rules",
        question="Which rules serve, which get in each other's way, and what does each do?",
        icon=":material/tune:",
        scope=Scope.READ,
        draw=rules.page,
        first_for=frozenset({"marketer", "data_scientist", "admin"}),
        defaults=Defaults(ranged=False),
    ),
    Page(
        key="toggles",
        title="Toggles",
        question="What can the app switch, for whom is it on, and who agreed?",
        icon=":material/toggle_on:",
        scope=Scope.READ,
        draw=toggles.page,
        first_for=frozenset({"marketer", "ops", "admin"}),
        defaults=Defaults(ranged=False),
    ),
    Page(
        key="caps",
        title="Caps and exposure",
        question="What is held back so that nobody sees too much of a thing, and no group of items is hidden?",
        icon=":material/filter_alt:",
        scope=Scope.READ,
        draw=caps.page,
        first_for=frozenset({"marketer", "ops", "admin"}),
    ),
    Page(
        key="consent",
        title="Consent and subjects",
        question="Who agreed to what, and does a no hold everywhere?",
        icon=":material/verified_user:",
        scope=Scope.READ,
        draw=consent.page,
        first_for=frozenset({"marketer", "admin"}),
    ),
    Page(
        key="explorer",
        title="Decision explorer",
        question="Why did someone see this, and would it come out the same again?",
        icon=":material/search_insights:",
        scope=Scope.DECISION_READ,
        draw=explorer.page,
        first_for=frozenset({"data_scientist", "admin"}),
    ),
    Page(
        key="alerts",
        title="SLO and alerts",
        question="What fires, who looks after it, and how much of each error budget is left?",
        icon=":material/notifications:",
        scope=Scope.READ,
        draw=alerts.page,
        first_for=frozenset({"ops", "admin"}),
        defaults=Defaults(span="24h", refresh_s=30),
    ),
    Page(
        key="checks",
        title="Checks",
        question="What is wrong right now, what cannot be told, and since when?",
        icon=":material/radar:",
        scope=Scope.READ,
        draw=checks.page,
        first_for=frozenset({"data_scientist", "ops", "admin"}),
        defaults=Defaults(span="24h", refresh_s=30),
    ),
    Page(
        key="ledger",
        title="Audit log",
        question="Who changed what, when and why, and is the record whole?",
        icon=":material/history_edu:",
        scope=Scope.READ,
        draw=ledger.page,
        first_for=frozenset({"ops", "admin"}),
        defaults=Defaults(span="30d"),
    ),
    Page(
        key="access",
        title="Access",
        question="Who may do what, by which token, and who has not been seen for long?",
        icon=":material/badge:",
        scope=Scope.ADMIN,
        draw=access.page,
        first_for=frozenset({"admin"}),
        defaults=Defaults(ranged=False),
    ),
    Page(
        key="system",
        title="System",
        question="Does all run that must run, and is anything full, late or refused?",
        icon=":material/settings_heart:",
        scope=Scope.METRICS_READ,
        draw=system.page,
        first_for=frozenset({"ops", "admin"}),
        defaults=Defaults(ranged=False),
    ),
)
