"""The command line: exit codes, data on stdout and talk on stderr, no waiting where nobody can answer."""

import json
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import app
from tests.fairlead.peer import Peer, fairlead, peer

__all__ = ["fairlead", "peer"]

CODES = [
    (401, "FL-1401", 4),
    (403, "FL-1403", 4),
    (404, "FL-1404", 3),
    (409, "FL-1409", 5),
    (412, "FL-1412", 5),
    (409, "FL-1407", 7),
    (422, "FL-1422", 2),
    (503, "FL-1503", 6),
]


@pytest.mark.parametrize(("status", "code", "exit_code"), CODES)
def test_each_refusal_has_its_exit_code_and_leaves_stdout_empty(
    fairlead: Any, peer: Peer, status: int, code: str, exit_code: int
) -> None:
    peer.status = status
    peer.answer = {"code": code, "detail": "not like this", "problems": [{"field": "name", "message": "too long"}]}
    ran = fairlead("campaign", "list", "--json")
    assert (ran.code, ran.out) == (exit_code, "")
    assert "not like this" in ran.err


def test_control_that_does_not_answer_is_unhealthy_and_the_remedy_is_named(
    fairlead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRLEAD_CONTROL_URL", "http://127.0.0.1:9")
    ran = fairlead("replicas", "--json")
    assert (ran.code, ran.out) == (6, "")
    assert "fairlead up" in ran.err


def test_without_a_token_it_is_a_matter_of_permission(fairlead: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRLEAD_TOKEN", "")
    ran = fairlead("campaign", "list")
    assert ran.code == 4
    assert "FAIRLEAD_TOKEN" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("campaign",),
        ("campaign", "pause"),
        ("policy", "activate", "home", "two"),
        ("consent", "opt-out", "u-1", "--purpose", "dreams"),
    ],
)
def test_wrong_usage_is_2(fairlead: Any, arguments: tuple[str, ...]) -> None:
    ran = fairlead(*arguments)
    assert ran.code == 2
    assert ran.out == "" or len(arguments) == 1


def test_an_unknown_key_of_the_environment_is_2_with_a_suggestion(
    fairlead: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAIRLEAD_ENGIN_PORT", "1")
    ran = fairlead("config", "show")
    assert ran.code == 2
    assert "did you mean FAIRLEAD_ENGINE_PORT?" in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("campaign", "pause", "men"),
        ("campaign", "pause", "men", "--yes"),
        ("campaign", "pause", "men", "--reason", "a reason of some length"),
        ("policy", "rollback", "home"),
        ("policy", "kill"),
        ("consent", "opt-out", "u-1"),
        ("consent", "history", "u-1"),
        ("token", "revoke", "t-1"),
        ("change", "approve", "c-1"),
        ("db", "downgrade", "base"),
    ],
)
def test_nothing_asks_where_nobody_can_answer(fairlead: Any, peer: Peer, arguments: tuple[str, ...]) -> None:
    ran = fairlead(*arguments)
    assert ran.code == 2
    assert "where there is no terminal" in ran.err
    assert [asked for asked in peer.asked if asked[0] == "POST"] == []


def test_verify_is_unhealthy_when_the_chain_does_not_hold(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"ok": False, "entries": 4, "first_bad": 5, "anchored_to": 3, "reason": "entry 5 was changed"}
    ran = fairlead("ledger", "verify", "--json")
    assert (ran.code, json.loads(ran.out)["first_bad"]) == (6, 5)


def test_replay_is_unhealthy_on_a_mismatch(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"verdict": "mismatch", "stage": "score", "reason": ""}
    assert fairlead("replay", "d-1", "--json").code == 6
    peer.answer = {"verdict": "exact", "stage": None, "reason": ""}
    assert fairlead("replay", "d-1", "--json").code == 0


def test_config_show_tells_every_origin(fairlead: Any, tmp_path: Path) -> None:
    (tmp_path / "fairlead.toml").write_text("[dashboard]\nport = 9501\n")
    rows = {row["key"]: row for row in json.loads(fairlead("config", "show", "--origin", "--json").out)}
    assert rows["dashboard_port"]["origin"] == str(tmp_path / "fairlead.toml")
    assert rows["home"]["origin"] == "FAIRLEAD_HOME"
    assert rows["token"]["value"] == "********"
    assert rows["engine_port"]["origin"] == "default"


def test_the_home_flag_beats_the_environment(fairlead: Any, tmp_path: Path) -> None:
    ran = fairlead("--home", str(tmp_path / "other"), "config", "show", "--json")
    rows = {row["key"]: row["value"] for row in json.loads(ran.out)}
    assert rows["home"] == str(tmp_path / "other")


def test_an_unknown_job_is_not_found(fairlead: Any) -> None:
    assert fairlead("job", "run", "dishes").code == 3


def test_work_on_an_installation_that_is_not_there_names_the_remedy(fairlead: Any) -> None:
    ran = fairlead("train", "--json")
    assert (ran.code, ran.out) == (6, "")
    assert "fairlead up" in ran.err


def test_every_command_says_what_it_does() -> None:
    silent = [
        command.name for command in app.registered_commands if not (command.callback and command.callback.__doc__)
    ]
    groups = [group.typer_instance for group in app.registered_groups]
    silent += [
        f"{group.info.name} {command.name}"
        for group in groups
        if group is not None
        for command in group.registered_commands
        if not (command.help or (command.callback and command.callback.__doc__))
    ]
    assert silent == []
