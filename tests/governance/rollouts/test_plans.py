"""Plans of gated rollouts that cannot hold are refused by the field that is wrong."""

from dataclasses import replace
from typing import Any

import pytest

from governance.control import Control
from storage import policies
from storage.database import Database
from storage.errors import Conflict, Invalid
from tests.governance.conftest import warrant

from .begun import PLAN, begin


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"steps": [1, 7, 100]}, "steps"),
        ({"steps": [100]}, "steps"),
        ({"steps": [50, 10]}, "steps"),
        ({"version": 99}, "version"),
        ({"outcome": "applause"}, "outcome"),
        ({"groups": [], "waived": []}, "groups"),
        ({"groups": ["shoe_size"]}, "groups"),
        ({"groups": ["age"]}, "groups"),
        ({"features": []}, "features"),
        ({"segment": {"nonsense": 1}}, "segment.nonsense"),
        ({"tolerance": 2.0}, "tolerance"),
    ],
)
def test_a_plan_that_cannot_hold_is_refused_by_its_field(stand: Control, wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        stand.propose("rollout.start", "home", {**PLAN, **wrong}, warrant("alice"))
    assert field in {problem.field for problem in refused.value.problems}


def test_there_is_one_rollout_of_a_policy_and_something_to_compare_with(
    stand: Control, sqlite_database: Database
) -> None:
    begin(stand)
    with pytest.raises(Conflict):
        stand.propose("rollout.start", "home", {**PLAN, "version": 3}, warrant("alice"))
    with sqlite_database.write() as write:
        head = policies.head(write, "home")
        assert head is not None
        policies.save(write, replace(head, stable=None, rollout=None))
    with pytest.raises(Conflict):
        stand.propose("rollout.start", "home", {**PLAN, "version": 3}, warrant("alice"))
