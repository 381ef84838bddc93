"""Reasons are codes in the record and sentences for people."""

from dataclasses import replace

from scoring_core.reasons import TEXTS, told
from scoring_core.runtime import runtime, runtime_digest
from scoring_core.stages import Stopwatch
from tests.scoring_core.world import decided, world


def test_every_code_of_the_house_has_a_sentence() -> None:
    record = replace(decided(world()), reasons=tuple((code,) for code in TEXTS))
    assert all(sentence and sentence != code for (sentence,), code in zip(told(record, {}), TEXTS, strict=True))


def test_a_policy_says_it_in_its_own_words() -> None:
    record = replace(decided(world()), reasons=(("model", "rule:summer"), ("unheard",)))
    sentences = told(record, {"model": "Picked for {you}", "rule": "Because of {rule}"})
    assert sentences == (("Picked for {you}", "Because of summer"), ("unheard",))


def test_the_runtime_names_what_computes() -> None:
    assert {"python", "numpy", "lightgbm", "numba", "architecture"} <= runtime().keys()
    assert len(runtime_digest()) == 16
    assert runtime()["faiss-cpu"] == "absent" or runtime()["faiss-cpu"][0].isdigit()


def test_a_watch_measures_laps() -> None:
    ticks = iter([0, 5_000, 7_999, 1_007_999])
    watch = Stopwatch(lambda: next(ticks))
    for stage in ("policy", "score", "policy"):
        watch.lap(stage)
    assert watch.laps == {"policy": 1_000, "score": 2}
