"""Gated rollouts: what was planned and approved, where it stands, what was counted and what was said at each look."""

from collections.abc import Mapping
from dataclasses import field
from typing import Annotated, Any, Literal

from pydantic import Field

from storage.records.document import document
from storage.records.findings import Verdict
from storage.records.policies import Share

Gate = Literal["slo", "outcome", "drift", "fairness"]
GATES: tuple[Gate, ...] = ("slo", "outcome", "drift", "fairness")
"""What may take a version back; a fifth finding, ``sample``, only ever holds it."""
RolloutState = Literal["running", "paused", "asking", "done", "rolled_back", "superseded"]
OPEN: tuple[RolloutState, ...] = ("running", "paused", "asking")
Step = Literal["hold", "advance", "ask", "roll_back", "finish"]
Whole = Annotated[int, Field(ge=0)]
Arms = tuple[Whole, Whole]
"""How many of the treated, how many of the others."""
Cells = tuple[Whole, Whole, Whole, Whole]
"""Trials and hits of the treated, trials and hits of the others."""


@document
class GatedPlan:
    """What one approval covers: the steps of a version, and what each of them must show.

    ``dwell_s`` is the least time at a step. ``outcome`` is the event that a decision is for; ``base_rate`` how often a
    seen decision has it (None: as the last seven days say). ``tolerance`` is the harm to everyone, relative to the
    stable version's rate, that may remain unseen: before a step to a share s, a harm of ``tolerance`` / s is excluded.
    Of its decisions at most ``failures`` may fail, and ``slow`` take longer than ``slow_ms``. ``groups`` are attributes
    of the context by which nobody may be harmed (None: the surface's sensitive ones), ``features`` those whose mix must
    be that of the stable version (None: all it declares). ``waived`` gates are looked at and never waited for.
    ``alpha`` bounds the chance of ever taking a harmless version back. ``last_step`` says whether somebody is asked
    before everyone gets it, ``preflight`` whether an off-policy estimate must have shown no harm before it starts.
    """

    version: Annotated[int, Field(ge=1)]
    steps: tuple[float, ...] = (1.0, 5.0, 10.0, 25.0, 50.0, 100.0)
    segment: Mapping[str, Any] = field(default_factory=dict)
    dwell_s: Annotated[int, Field(ge=0, le=30 * 86_400)] = 600
    outcome: str = "click"
    base_rate: Annotated[float, Field(gt=0.0, lt=1.0)] | None = None
    tolerance: Annotated[float, Field(gt=0.0, le=0.5)] = 0.05
    failures: Share = 0.01
    slow_ms: Annotated[float, Field(gt=0.0)] = 100.0
    slow: Share = 0.05
    groups: tuple[str, ...] | None = None
    features: tuple[str, ...] | None = None
    waived: tuple[Gate, ...] = ()
    alpha: Annotated[float, Field(gt=0.0, le=0.2)] = 0.04
    last_step: Literal["go", "ask"] = "go"
    preflight: Literal["require", "tell"] = "tell"


@document
class StepMark:
    """When a step began, with which revision, and for how many per cent."""

    percent: float
    revision: int
    at: int


@document
class GatedRollout:
    """One rollout and where it stands. ``steps[mark]`` is in force; ``announced`` are the decisions that each step is
    expected to take; ``green_at`` is since when every gate has been green (None: it is not)."""

    rollout_id: str
    policy: str
    plan: GatedPlan
    state: RolloutState
    author: str
    reason: str
    marks: tuple[StepMark, ...]
    announced: tuple[int, ...]
    base_rate: float
    rate_from: Literal["plan", "measured", "assumed"]
    green_at: int | None = None
    note: str = ""
    created_at: int = 0
    updated_at: int = 0
    ended_at: int | None = None

    @property
    def percent(self) -> float:
        """The share that is in force."""
        return self.marks[-1].percent

    @property
    def ahead(self) -> float | None:
        """The next share; None on the last step."""
        return next((step for step in self.plan.steps if step > self.percent), None)


@document
class StepCounts:
    """What was counted on one step.

    ``outcomes`` counts decisions that were seen, and those with the outcome; ``decisions``, ``failed`` and ``late`` are
    decisions. ``joined`` to ``groups`` count people, each once a step, and only those whom chance sent to either side
    at this very step: the treated share of them is ``share``. ``failing`` and ``waiting`` met a failure, a slow answer;
    ``features`` tells by name and bin what the first decision of each was like. ``crossed`` saw both versions.
    ``groups`` are outcomes by ``attribute=value``.
    """

    percent: float
    share: float
    decisions: Arms = (0, 0)
    failed: Arms = (0, 0)
    late: Arms = (0, 0)
    outcomes: Cells = (0, 0, 0, 0)
    people: Arms = (0, 0)
    failing: Arms = (0, 0)
    waiting: Arms = (0, 0)
    crossed: Whole = 0
    features: Mapping[str, Mapping[str, Arms]] = field(default_factory=dict)
    groups: Mapping[str, Cells] = field(default_factory=dict)


@document
class Evidence:
    """All that the gates look at. ``spread`` is the design effect of the outcome (one person's decisions are alike);
    ``until`` is how far the log was read."""

    steps: tuple[StepCounts, ...]
    spread: float = 1.0
    until: int = 0
    origins: tuple[str, ...] = ()


@document
class Figure:
    """One thing that a gate measured: the treated's value, the others', an interval of the difference where there is
    one, the strength of the evidence against (an e-value), and the e-value at which harm is shown."""

    name: str
    treated: float | None = None
    control: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    strength: float | None = None
    needed: float | None = None


@document
class GateFinding:
    """What one gate says. ``missing`` is about how many more decisions it needs, where that is why it is not green."""

    gate: Gate | Literal["sample"]
    verdict: Verdict
    sentence: str
    waived: bool = False
    missing: int | None = None
    figures: tuple[Figure, ...] = ()


@document
class Look:
    """One look at a rollout: what was counted, what each gate said, what was done, and why. ``green_before`` is since
    when it had been green before this look, ``green_at`` since when it is now."""

    rollout_id: str
    seq: int
    at: int
    percent: float
    ahead: float | None
    green_before: int | None
    green_at: int | None
    evidence: Evidence
    findings: tuple[GateFinding, ...]
    step: Step
    reason: str
