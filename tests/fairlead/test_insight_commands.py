"""Insights and benchmarks on the command line: what is sent, and what is refused before it is."""

import json
from pathlib import Path
from typing import Any

from tests.fairlead.peer import Peer, fairlead, peer

__all__ = ["fairlead", "peer"]

TABLE = "metric,industry,value,source,date\nclick_rate,fashion,2.1 %,Report A,2026-01-31\n"
WHY = ("--yes", "--reason", "the figures of the yearly report")


def test_a_table_is_sent_as_it_stands(fairlead: Any, peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    path.write_text(TABLE, encoding="utf-8")
    assert fairlead("benchmark", "put", str(path), *WHY, "--json").code == 0
    assert peer.asked == [("POST", "/control/v1/benchmarks", {"csv": TABLE, "reason": WHY[2]})]


def test_what_is_no_table_is_refused_here(fairlead: Any, peer: Peer, tmp_path: Path) -> None:
    path = tmp_path / "figures.csv"
    path.write_bytes(b"\xff\xfe")
    ran = fairlead("benchmark", "put", str(path), *WHY)
    assert (ran.code, peer.asked) == (2, []) and "UTF-8" in ran.err
    missing = fairlead("benchmark", "put", str(tmp_path / "none.csv"), *WHY)
    assert missing.code == 3 and "cannot be read" in missing.err


def test_an_early_look_gives_its_reason(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"arms": [{"arm": "treated", "people": 3}], "comparisons": []}
    ran = fairlead("insight", "reveal", "holdout/men", *WHY, "--json")
    assert json.loads(ran.out)["arms"][0]["arm"] == "treated"
    assert peer.asked == [
        ("POST", "/control/v1/experiments/reveal", {"key": "holdout/men", "origin": "real", "reason": WHY[2]})
    ]


def test_a_creator_is_asked_by_a_name_of_any_letters(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"creator": "a", "rows": []}
    assert fairlead("insight", "creator", "Ada & Söhne/Co", "--json").code == 0
    assert fairlead("insight", "creator", "--json").code == 0
    paths = [path for _, path, _ in peer.asked]
    assert paths[1].endswith("/analytics/creators/own")
    assert "Ada" in paths[0]


def test_lists_are_told_in_rows(fairlead: Any, peer: Peer) -> None:
    peer.answer = {
        "experiments": [
            {
                "title": "Men",
                "origin": "real",
                "health": {"days": 3, "people": 1200, "sentence": "Kept."},
                "sentence": "So.",
            }
        ]
    }
    assert "1,200" in fairlead("insight", "experiments").out
    peer.answer = {"benchmarks": [{"metric": "click_rate", "industry": "shoes", "value": 0.03}]}
    assert "shoes" in fairlead("benchmark", "list").out
