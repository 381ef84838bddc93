"""One imported policy judged by the log of another, campaign by campaign, beside what it really earned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from governance.checks.artifacts import keep
from governance.evaluation import sentence
from governance.offpolicy import VERDICTS
from governance.own_log import codes
from governance.pairs import ShownRows, evaluate_pair, shares, uniform
from scoring_core.learning.outcomes import SHOWN, parameters
from storage import findings
from storage.database import Database, Read
from storage.errors import Invalid, NotFound, Problem
from storage.lake import Lake
from storage.records.document import canonical, document, dump, parse
from storage.records.findings import Audit

UNIFORM = "uniform"
CAVEAT = (
    "A row is one item in one position, its propensity marginal: nothing is said of slates. The target's shares are "
    "those of its own log, an estimate which the interval does not count."
)
EXACT = "A row is one item in one position: nothing is said of slates. The target needs logged propensities alone."

_SHOWN = """
SELECT policy, item, position, propensity, clicked, context FROM shown
WHERE propensity_kind = 'marginal' AND policy IN ($log, $target) ORDER BY decision_id
"""


@document
class PairArguments:
    """``log`` is the policy whose log is read, ``target`` the one to be judged: another logged one, or ``uniform``."""

    log: str
    target: str = UNIFORM
    campaign: str | None = None
    outcome: str = "click"
    clip: Annotated[float, Field(gt=0.0)] | None = None
    seed: Annotated[int, Field(ge=0)] = 1


def run_pair(
    database: Database, lake: Lake, *, job_id: str, arguments: Mapping[str, Any], now: int, home: Path
) -> Audit:
    """Judge the pair, store it (``findings.save``) and return it; ``audit_id`` is ``offpolicy-{job_id}``.

    Raises
    ------
    Invalid, NotFound
        If an argument makes no sense, or the log holds no rows of that policy.
    """
    asked = parse(PairArguments, arguments)
    if asked.log == asked.target:
        message = "must be another policy than the one that logged"
        raise Invalid(f"target: {message}", problems=(Problem(field="target", message=message),))
    with database.read() as read:
        logs, start, end = _logs(lake, read, asked, now=now)
    if asked.log not in logs:
        raise NotFound("log: no imported rows of this policy; `fairlead import` brings some")
    rows = logs[asked.log]
    slots = 1 + max(int(each.slot.max()) for each in logs.values())
    if asked.target == UNIFORM:
        target = uniform(slots, rows.items)
    elif asked.target in logs:
        target = shares(logs[asked.target], slots)
    else:
        raise NotFound("target: no imported rows of this policy, so nobody can say what it would show")
    found = evaluate_pair(rows, target, seed=asked.seed, clip=asked.clip)
    truth = float(logs[asked.target].reward.mean()) if asked.target in logs else None
    result = {
        "scenario": {name: value for name, value in dump(asked).items() if value is not None},
        "estimated": {
            **found.document(),
            "label": "estimated",
            "caveat": EXACT if asked.target == UNIFORM else CAVEAT,
            "really": truth,
            "items": rows.items,
        },
    }
    audit_id = f"offpolicy-{job_id}"
    where = f" in {asked.campaign}" if asked.campaign else ""
    audit = Audit(
        audit_id=audit_id,
        kind="offpolicy",
        job_id=job_id,
        at=now,
        verdict=VERDICTS[found.verdict],
        sentence=sentence(found, what=f"{asked.target} from the log of {asked.log}{where}", outcome=asked.outcome),
        population={"start": start, "end": end, "rows": found.n, "origins": ["imported"], "campaign": asked.campaign},
        result=result,
        artifacts=keep(home, audit_id, {"offpolicy.json": canonical(result)}),
    )
    with database.write() as write:
        findings.save(write, audit)
    return audit


def _logs(lake: Lake, read: Read, asked: PairArguments, *, now: int) -> tuple[dict[str, ShownRows], int, int]:
    """Return the imported rows of both policies, items and circumstances numbered alike, and when they are from."""
    bounds = parameters(now=now, origins=("imported",), campaign=asked.campaign, outcome=asked.outcome)
    with lake.connect(read) as duck:
        named = {"log": asked.log, "target": asked.target}
        table: Any = duck.sql(SHOWN + _SHOWN, params={**bounds, **named}).to_arrow_table()
        span = duck.execute('SELECT min("at"), max("at") FROM decisions WHERE origin = \'imported\'').fetchall()
    items = codes(table["item"]).astype(np.int64)
    policies = np.array(table["policy"].to_pylist(), dtype=object)
    position = table["position"].to_numpy().astype(np.int64) - 1
    reward, propensity = table["clicked"].to_numpy(), table["propensity"].to_numpy()
    features = codes(table["context"])[:, None]
    count = int(items.max()) + 1 if len(items) else 0
    found = {}
    for policy in (asked.log, asked.target):
        mine = policies == policy
        if mine.any():
            found[policy] = ShownRows(
                item=items[mine],
                slot=position[mine],
                reward=reward[mine].astype(np.float64),
                propensity=propensity[mine],
                features=features[mine],
                items=count,
            )
    start, end = span[0]
    return found, int(start or 0), int(end or 0)
