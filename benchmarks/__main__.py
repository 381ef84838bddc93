"""Run every benchmark, each in a process of its own; write ``results.json`` and ``docs/BENCHMARKS.md``."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

BENCHES = ("serving", "intake", "freshness", "propagation", "replay", "rules", "bandits", "memory", "subjects")
OPTIONAL = ("training", "confidence", "peers", "rollouts", "drift", "offpolicy", "fairness", "tampering", "pages")
"""Long, or they install other projects."""
LIMIT_S, OPTIONAL_LIMIT_S = 600, 3600

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
PAGE = HERE.parent / "docs" / "BENCHMARKS.md"


NOTES = """\
- **serving**: `POST /v1/personalize`, 100 candidates × 50 features, 200 trees in 10 members, 60 rules, three
  caps, reasons explained in sentences; every decision recorded.
  Floor: a bare Starlette route that gathers the same features from arrays and calls LightGBM's predict of 200 trees
  on one thread. Server on one core, load on the other, open loop, both at half of the slower one's capacity, five
  alternating blocks.
- **governance_share**: CPU of the engine minus CPU of the same scoring with all of governance off (ADR 0010), both at
  half of our capacity, against LightGBM's predict alone.
- **intake**: batches of 1,000 events through `POST /v1/events`, each acknowledged after it is on disk. Floor: as many
  entries appended straight to the log.
- **freshness**: from an event's acknowledgement to the answer of the first decision that used it.
- **propagation**: from the call until the last of four replicas answers accordingly; and until an opt-out is
  acknowledged.
- **replay**: decisions of a running engine, read from its journal and recomputed in another process, while events, a
  rollout, opt-outs and the kill switch changed what they saw.
- **rules**, **rules_all_hold**: the rules' stage of a decision, CPU of one thread: 60 rules, 100 candidates; about half
  of the rules hold, and all of them. Floor: the same compiled conditions and item masks, asked one after another.
- **bandits**: summed regret of 1,000 rounds over ten simulated arms, mean of 20 seeds, each algorithm driven as the
  engine drives it. Floor: the same algorithm of mabwiser on the same arms and noise. *Delayed*: every click 50 rounds
  late; item bandits count an impression as unanswered until then, which explores more than the floor, that is told of
  neither. **draw**: exact chances of 100 candidates at three slots.
- **memory**: what profiles of 50 items seen, 20 interests, 64 dimensions, ten caps and a word of consent take of an
  engine's resident memory, counted after what is unused was given back, per million; and of Valkey's, without consent,
  which every engine holds itself.
- **erasure_lake**: one person's rows found and taken out of a lake of a million events, files synced. Floor: the same
  files read, filtered and written bare. **export**: a hundred thousand events of one person as signed JSON and CSV.
- **rollouts** (only when named): gated rollouts of worlds whose truth is known, on a simulated clock, through the very
  function that looks at live ones: versions like the stable one (how many are taken back, how many reach everyone in
  the announced traffic; and how many are taken back while nobody lets them past the half, through all two million
  decisions), versions with a tenth fewer outcomes, and versions that fail.
- **tampering** (only when named): an entry edited, deleted, inserted, swapped, the end cut off, the chain recomputed
  with its key; verified in the database, and in an exported bundle with the public key alone. Floor of the time:
  reading the rows.
- **training** (only when named): from the lake to a registered model, as the job does it (joined, weighted, ten members
  of twenty trees, each on half of the rows, which are binned once; evaluated, calibrated, checked bit by bit), in
  memory and by the disk; CPU of the process. Floor: LightGBM alone boosts as many trees of the same parameters in one
  model on all of the same rows, a finished matrix, one thread; the mean of a run before and one after. **boosted**: the
  same without evaluation, calibration and the check. **large**: one training by the disk that would not fit into
  memory, one member.
- **confidence** (only when named): calibrations fitted on logs of worlds whose click probabilities are known, how often
  "proven" is said falsely, and how often the true error lies within the claimed bound; and what is said of the shared
  ranking data, with outcomes of three rarities.
- **offpolicy** (only when named): intervals of IPS, SNIPS and DR against the known truth of 1,000 synthetic logs of
  2,000 rows in four worlds (a target near the log, opposite, sharper, rare clicks), 1,000 resamples each; then the six
  pairs of the Open Bandit Dataset, each policy judged by the other's log, beside what it really earned (floor).
- **fairness**, **fairness_power**, **fairness_cost** (only when named): worlds of equal groups, by rate, size, number
  of comparisons, strata, and rows of people who are alike, and how often any is flagged; worlds in which one group has
  0.7 of the others' rate, at the very size that a smaller audit named; CPU of an audit of a million rows by four
  attributes, one measure with values, intervals and verdicts. Floor: one plain `MetricFrame` of the same rows.
- **pages_warm**, **pages_cold**, **pages_growth** (only when named): every page in Chromium over 10 M journal rows of
  30 days, made in columns and landed day by day by the collectors' own code, all thirty days asked for (of heatmaps a
  campaign too), until all charts are drawn: as the first visitor since the start, once the installation has done what
  it does first, and again at once. Floor: the same page over 10 k rows. **pages_growth_cpu**: the same of the
  CPU time that the dashboard takes for a page, which a busy machine changes less. **pages_heap**: private memory of the
  dashboard before and after sessions are opened and closed. **pages_crowd**: CPU of the dashboard while sessions on
  Live refresh themselves, over Streamlit's own protocol, with traffic on one engine.
- **peers** (only when named): the same decision against MLServer, BentoML and LitServe, whose handlers run our feature
  lookup and LightGBM's predict of the same trees on one thread, each in an environment of its own, access logs and
  metrics off, with the worker setting that gave it the most requests per CPU second; CPU of all processes of a server.
  Alternating blocks, at capacity and at half of the slowest one's capacity. Floor: the best of them.
- **drift** (only when named): `fairlead audit drift` on two Parquet files of 1 M rows × 35 numbers and 15 categories
  against Evidently's preset on the same files, each in a process of its own, imports and reading included; CPU and
  peak resident memory; every one of the 50 statistics compared. **drift_false_red**: runs of 20 features without drift
  at six pairs of sizes, up to 80 levels. **drift_found**: one feature of 20 moved by a PSI of 0.2.
"""


def run(bench: str) -> list[dict[str, Any]]:
    """Run one benchmark and return its figures; one that fails is a figure that is not ok, never a silence."""
    limit = OPTIONAL_LIMIT_S if bench in OPTIONAL else LIMIT_S
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{bench}"], capture_output=True, text=True, timeout=limit, check=False
    )
    sys.stderr.write(done.stderr)
    figures = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not figures:
        figures.append({"bench": bench, "ok": False, "error": (done.stderr.strip().splitlines() or ["no output"])[-1]})
    at = f"{datetime.now(UTC):%Y-%m-%d %H:%M}"
    return [{**figure, "of": bench, "measured": at} for figure in figures]


def row(figure: dict[str, Any]) -> str:
    """Return one line of the page's table."""
    if "error" in figure:
        return f"| {figure['bench']} | did not finish | | | | no | {figure['measured']} |"
    floor, ratio = (("—" if figure[key] is None else f"{figure[key]:.3g}") for key in ("floor", "ratio"))
    met = "yes" if figure["ok"] else "**no**"
    value = f"{figure['value']:.4g} {figure['unit']}"
    return f"| {figure['bench']} | {value} | {floor} | {ratio} | {figure['target']} | {met} | {figure['measured']} |"


def page(figures: list[dict[str, Any]]) -> str:
    """Return the page."""
    machine = next((figure["machine"] for figure in reversed(figures) if "machine" in figure), {})
    words = ", ".join(f"{key} {value}" for key, value in machine.items())
    return "\n".join(
        (
            "# Benchmarks",
            "",
            "Written by `make bench`; the raw numbers are in `benchmarks/results.json`. Absolute times depend on the",
            "machine and on what else it does; ratios are of one run.",
            "",
            f"The last was measured on: {words}. Times are UTC.",
            "",
            "| benchmark | value | floor | ratio | target | met | measured |",
            "|---|---|---|---|---|---|---|",
            *(row(figure) for figure in figures),
            "",
            NOTES,
        )
    )


def _known() -> list[dict[str, Any]]:
    """Return the figures of the last runs, of this machine or another: each says which."""
    known: list[dict[str, Any]] = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else []
    return known


def main() -> int:
    """Run what was named, or all but the optional ones; return 0 if every figure was produced, met or not."""
    chosen = [bench for bench in (*BENCHES, *OPTIONAL) if bench in sys.argv[1:]] or list(BENCHES)
    figures: list[dict[str, Any]] = []
    for bench in chosen:
        print(f"{bench} …", file=sys.stderr, flush=True)
        figures += run(bench)
    figures = [*(known for known in _known() if known.get("of") not in chosen), *figures]
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(figures), encoding="utf-8")
    for figure in figures:
        print(row(figure))
    return 1 if any("error" in figure for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
