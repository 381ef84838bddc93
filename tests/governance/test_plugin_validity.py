"""What a policy asks of plugins is checked where control runs, before it is saved."""

from dataclasses import replace
from pathlib import Path

from governance.validity import policy_problems
from storage.records.policies import Policy, ScorerChoice, Source
from tests.scoring_core.edges.packages import install_trouble, on_path

from .conftest import installation, policy


def problems(document: Policy) -> dict[str, str]:
    return {problem.field: problem.message for problem in policy_problems(document, installation())}


def test_what_is_not_installed_is_named(tmp_path: Path) -> None:
    asking = replace(
        policy(),
        enrichers=("fine", "unheard-of"),
        sources=(
            Source(name="plugin", model="numbers"),
            Source(name="plugin", model="torn"),
            Source(name="plugin", model="missing"),
            Source(name="search", model="outside"),
            Source(name="search"),
        ),
    )
    with on_path(install_trouble(tmp_path)):
        found = problems(asking)
    assert set(found) == {"enrichers.1", "sources.2.model", "sources.3.model"}
    assert "installed here" in found["enrichers.1"]


def test_a_source_may_stand_once_a_plugin_of_each_name(tmp_path: Path) -> None:
    twice = (Source(name="plugin", model="torn"), Source(name="plugin", model="torn"))
    with on_path(install_trouble(tmp_path)):
        assert set(problems(replace(policy(), sources=twice))) == {"sources"}


def test_settings_that_a_scorer_refuses_are_named(tmp_path: Path) -> None:
    choice = ScorerChoice(name="plugin", parameters={"plugin": "moody", "settings": {}})
    with on_path(install_trouble(tmp_path)):
        assert set(problems(replace(policy(), scorer=choice))) == {"scorer.parameters.settings"}
        good = replace(choice, parameters={"plugin": "moody", "settings": {"how": "well"}})
        assert problems(replace(policy(), scorer=good)) == {}
