"""Replay finds every flipped bit, and promises the same bytes where the runtime is the same."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace as altered

from scoring_core.compile import compile_plan
from scoring_core.live import ItemFeatures, Model
from scoring_core.replay import STAGES, ReplayVerdict, compare
from scoring_core.shelf import build_shelf
from storage.records import wire
from storage.records.decisions import Decision
from storage.records.policies import Exploration, KillSwitch
from tests.scoring_core.replayed import (
    DOCUMENT,
    LIVE,
    MODEL,
    RECORDS,
    ROLLING,
    STORED,
    WORLDS,
    again,
    flips,
)
from tests.scoring_core.world import (
    CATEGORIES,
    NOW,
    LinearEnsemble,
    catalogue,
    decided,
    ensemble,
    request,
    statistics,
    tree_texts,
    trees,
    world,
)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_replay_is_exact_also_after_the_wire(kind: str) -> None:
    record = wire.decode(Decision, wire.encode(RECORDS[kind]))
    assert again(record, WORLDS.get(kind, LIVE)) == ReplayVerdict("exact")


@pytest.mark.parametrize("kind", RECORDS)
def test_every_flipped_bit_of_every_stored_field_is_found(kind: str) -> None:
    record, live = RECORDS[kind], WORLDS.get(kind, LIVE)
    model = live.models["ranker"]
    plan = compile_plan(live.snapshot, models={"ranker": model}, shelf=live.shelf)
    found = 0
    for name in STORED:
        for value in flips(getattr(record, name)):
            verdict = again(altered(record, **{name: value}), live, plan=plan, model=model)
            assert verdict.verdict == "mismatch", (name, value)
            assert verdict.stage in STAGES
            found += 1
    assert found > 1_000


@given(st.data())
@settings(max_examples=150)
def test_any_flipped_bit_is_found(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([each for each in STORED if list(flips(getattr(RECORDS["model"], each)))]))
    value = data.draw(st.sampled_from(list(flips(getattr(RECORDS["model"], name)))))
    verdict = again(altered(RECORDS["model"], **{name: value}), plan=LIVE.plan)
    assert verdict.verdict == "mismatch", name


@pytest.mark.parametrize("bit", [0, 1, 20, 51, 52, 62, 63])
@pytest.mark.parametrize("member", [0, 9])
def test_one_flipped_bit_of_the_model_is_found(bit: int, member: int) -> None:
    weights = ensemble().weights.copy()
    weights.view(np.uint64)[member, 3] ^= np.uint64(1 << bit)
    verdict = again(RECORDS["model"], model=Model(LinearEnsemble(weights), MODEL.calibration, CATEGORIES))
    assert verdict.verdict == "mismatch"


def other_leaf(texts: tuple[str, ...], member: int, leaf: int) -> tuple[str, ...]:
    """Flip the last bit of one leaf of one member."""
    lines = texts[member].split("\n")
    place = next(number for number, line in enumerate(lines) if line.startswith("leaf_value="))
    values = lines[place].removeprefix("leaf_value=").split(" ")
    values[leaf] = repr(float(np.nextafter(float(values[leaf]), np.inf)))
    lines[place] = "leaf_value=" + " ".join(values)
    return (*texts[:member], "\n".join(lines), *texts[member + 1 :])


@pytest.mark.parametrize(("member", "leaf"), [(0, 0), (1, 3), (2, 5)])
def test_one_flipped_bit_of_one_leaf_is_found(member: int, leaf: int) -> None:
    live = world(DOCUMENT, scorer=trees())
    record = decided(live)
    assert record.scores
    assert again(record, live) == ReplayVerdict("exact")
    flipped = Model(trees(other_leaf(tree_texts(), member, leaf)), MODEL.calibration, CATEGORIES)
    assert again(record, live, model=flipped).verdict == "mismatch"


def test_a_changed_model_is_found_by_its_scores_though_its_digest_lies() -> None:
    weights = ensemble().weights.copy()
    weights[4, 0] += 1e-9
    liar = LinearEnsemble(weights)
    liar.digest = ensemble().digest
    verdict = again(RECORDS["model"], model=Model(liar, MODEL.calibration, CATEGORIES))
    assert (verdict.verdict, verdict.stage) == ("mismatch", "score")


@pytest.mark.parametrize(
    "document",
    [
        replace(DOCUMENT, rules=(replace(DOCUMENT.rules[0], factor=1.2500001), DOCUMENT.rules[1])),
        replace(DOCUMENT, rules=(DOCUMENT.rules[0], replace(DOCUMENT.rules[1], slot=3))),
        replace(DOCUMENT, rules=(DOCUMENT.rules[0], replace(DOCUMENT.rules[1], key="firsu"))),
        replace(DOCUMENT, rules=DOCUMENT.rules[:1]),
        replace(DOCUMENT, exploration=Exploration(epsilon=0.300001)),
        replace(DOCUMENT, filters={}),
        replace(DOCUMENT, join_window_s=86_401),
        replace(DOCUMENT, reasons={"model": "For you"}),
    ],
)
def test_one_changed_field_of_the_policy_is_found(document: Any) -> None:
    states = {"home": replace(ROLLING["home"], versions={1: document, 2: document})}
    assert again(RECORDS["model"], snapshot=replace(LIVE.snapshot, policies=states)).verdict == "mismatch"


def test_a_changed_catalogue_and_changed_item_features_are_found() -> None:
    items = list(catalogue().items)
    items[9] = replace(items[9], title="Another")
    other = world(stock=replace(catalogue(), items=tuple(items)))
    assert again(RECORDS["model"], shelf=other.shelf).verdict == "mismatch"
    values = statistics().values.copy()
    values.view(np.uint64)[3, 0] ^= np.uint64(1)
    assert again(RECORDS["model"], items=ItemFeatures(epoch=9, values=values)).verdict == "mismatch"


def test_a_shelf_built_after_an_item_expired_replays_what_was_decided_before() -> None:
    items = list(catalogue().items)
    items[1] = replace(items[1], expires_at=NOW + 5)
    stock = replace(catalogue(), items=tuple(items))
    live = world(DOCUMENT, stock=stock)
    before, after = decided(live), decided(live, now=NOW + 5)
    assert before.scores != after.scores
    later = build_shelf(stock)
    assert again(before, live, shelf=later) == again(after, live, shelf=later) == ReplayVerdict("exact")


def test_a_kill_switch_that_was_not_on_is_found() -> None:
    killed = replace(LIVE.snapshot, kill_switch=KillSwitch(on=True))
    assert again(RECORDS["model"], snapshot=killed).stage == "gate"
    claimed = altered(RECORDS["refused"], reason="kill_switch")
    assert again(claimed).stage == "gate"


def test_another_refusal_is_found() -> None:
    assert again(altered(RECORDS["refused"], reason="gpc")).verdict == "mismatch"


def test_what_is_no_longer_kept_is_unavailable_and_named() -> None:
    record = RECORDS["model"]
    assert again(record, snapshot=None) == ReplayVerdict(
        "unavailable", reason=f"not kept any more: revision {record.revision}"
    )
    assert "model ranker 7" in again(record, model=None).reason
    assert "catalogue 4" in again(record, shelf=None).reason
    assert "epoch 9" in again(record, items=None).reason
    assert again(altered(record, origin="imported")).verdict == "unavailable"


def test_another_runtime_promises_the_order_and_the_numbers_nearly() -> None:
    from scoring_core.decide import decide
    from scoring_core.explore import seeded
    from scoring_core.gate import admit
    from scoring_core.live import Facts
    from tests.scoring_core.world import user

    asked = request()
    far = decide(
        asked, Facts(user=user()), LIVE, seeded(1), NOW, admission=admit(asked, LIVE, 0), runtime="another machine"
    )
    assert again(far) == ReplayVerdict("equivalent")
    scores = np.frombuffer(far.scores, "<f8")
    near = altered(far, scores=(scores + 1e-12).tobytes(), propensity=tuple(p + 1e-13 for p in far.propensity))
    assert again(near) == ReplayVerdict("equivalent")
    assert again(altered(far, scores=(scores + 1e-6).tobytes())).stage == "score"
    assert again(altered(far, scores=far.scores[:-8])).stage == "score"
    assert again(altered(far, items=far.items[::-1])).stage == "explore"


def test_every_field_of_the_record_is_compared() -> None:
    compared = [name for names in STAGES.values() for name in names]
    assert set(compared) == set(STORED)
    assert [name for name in compared if compared.count(name) > 1] == ["input_digest"] * 2


def test_compare_names_the_first_stage_that_differs() -> None:
    record = RECORDS["model"]
    both = altered(record, rules=(), confidence=0.123)
    assert compare(both, record).stage == "confidence"


@given(seed=st.integers(0, 2**63 - 1), slots=st.integers(1, 9), subject=st.text(min_size=1, max_size=6))
def test_whatever_was_decided_replays_exactly(seed: int, slots: int, subject: str) -> None:
    record = decided(LIVE, request(slots=slots, subject=subject, campaign="c"), seed=seed)
    assert again(record, model=MODEL, plan=LIVE.plan) == ReplayVerdict("exact")


@pytest.mark.e2e
def test_another_process_that_is_given_inputs_only_gives_the_same_bytes() -> None:
    live = world(DOCUMENT, scorer=trees())
    records = [decided(live, seed=seed) for seed in range(20)]
    code = (
        "import sys\n"
        "from storage.records import wire\n"
        "from storage.records.decisions import Decision\n"
        "from tests.scoring_core.replayed import DOCUMENT, again\n"
        "from tests.scoring_core.world import trees, world\n"
        "live = world(DOCUMENT, scorer=trees())\n"
        "records = wire.decode(list[Decision], sys.stdin.buffer.read())\n"
        "print(*(again(record, live).verdict for record in records))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=wire.encode(records),
        capture_output=True,
        check=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert done.stdout.decode().split() == ["exact"] * 20
