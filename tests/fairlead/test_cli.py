"""The command line: exit codes, data on stdout and talk on stderr, no waiting where nobody can answer."""

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli import app, main

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


@dataclass
class Peer:
    """A control API that answers what a test wants, and remembers what it was asked."""

    url: str = ""
    status: int = 200
    answer: Any = field(default_factory=dict)
    asked: list[tuple[str, str, Any]] = field(default_factory=list)
    tags: list[str | None] = field(default_factory=list)


@pytest.fixture
def peer() -> Iterator[Peer]:
    state = Peer()

    class Answers(BaseHTTPRequestHandler):
        def _reply(self) -> None:
            length = int(self.headers.get("content-length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            state.asked.append((self.command, self.path, body))
            state.tags.append(self.headers.get("if-match"))
            answer = state.answer.pop(0) if isinstance(state.answer, list) else state.answer
            data = json.dumps(answer).encode()
            self.send_response(state.status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _reply  # noqa: N815  # the names that http.server calls

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


@dataclass
class Ran:
    code: int
    out: str
    err: str


@pytest.fixture
def fairlead(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path, peer: Peer) -> Any:
    """Runs one command in this process, without a terminal, on a fresh home, against the peer."""
    monkeypatch.setenv("FAIRLEAD_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("FAIRLEAD_CONTROL_URL", peer.url)
    monkeypatch.setenv("FAIRLEAD_TOKEN", "fl_test")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        monkeypatch.setattr(sys, "argv", ["fairlead", *arguments])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Ran(int(ended.value.code or 0), out, err)

    return run


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


def test_token_create_prints_one_json_document(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"token_id": "t", "token": "fl_x", "principal": "N", "scopes": ["decide"], "expires_at": None}
    ran = fairlead("token", "create", "--name", "N", "--scopes", "decide,events:write", "--json")
    assert ran.code == 0
    assert json.loads(ran.out)["token"] == "fl_x"
    assert ran.err == ""
    method, path, body = peer.asked[0]
    assert (method, path) == ("POST", "/control/v1/tokens")
    assert (body["name"], body["principal"], body["scopes"]) == ("N", "N", ["decide", "events:write"])
    assert len(body["reason"]) >= 10


def test_token_create_gives_the_bare_token_to_a_pipe(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"token": "fl_y"}
    ran = fairlead("token", "create", "--name", "N")
    assert ran.out == "fl_y\n"
    assert "not shown again" in ran.err


def test_opt_out_sends_subject_purpose_and_reason(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"epoch": 7, "acknowledged_by": ["engine-0"], "waiting_for": [], "waited_ms": 12, "complete": True}
    ran = fairlead(
        "consent", "opt-out", "u-1", "--purpose", "personalization", "--reason", "asked by phone", "--yes", "--json"
    )
    assert json.loads(ran.out)["epoch"] == 7
    assert peer.asked == [
        (
            "POST",
            "/control/v1/consents/opt-out",
            {"subject": "u-1", "purpose": "personalization", "source": "cli", "reason": "asked by phone"},
        )
    ]


def test_activate_confirms_with_the_key_of_the_object(fairlead: Any, peer: Peer) -> None:
    arguments = ("policy", "activate", "home", "2", "--percent", "25", "--segment", '{"country": "DE"}')
    ran = fairlead(*arguments, "--yes", "--reason", "the next step of the plan", "--json")
    assert ran.code == 0
    assert peer.asked[0][2] == {
        "version": 2,
        "percent": 25.0,
        "segment": {"country": "DE"},
        "reason": "the next step of the plan",
        "confirm": "home",
    }


def test_a_submitted_plan_is_one_change_for_review(fairlead: Any, peer: Peer) -> None:
    peer.answer = [{"change_id": "c-1"}, {"change_id": "c-1", "state": "in_review"}]
    ran = fairlead(
        "policy", "submit", "home", "2", "--steps", "5,25,100", "--yes", "--reason", "ramp it slowly", "--json"
    )
    assert json.loads(ran.out)["state"] == "in_review"
    assert [path for _, path, _ in peer.asked] == ["/control/v1/changes", "/control/v1/changes/c-1/submit"]
    assert peer.asked[0][2]["payload"] == {"version": 2, "steps": [5.0, 25.0, 100.0]}


def test_names_of_others_cannot_forge_lines_or_colours(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"campaigns": [{"campaign": {"key": "men", "name": "\x1b[31m[bold]<script>", "status": "running"}}]}
    ran = fairlead("campaign", "list")
    assert ran.code == 0
    assert "\x1b" not in ran.out
    assert "[bold]" in ran.out


def test_instants_are_shown_as_people_read_them_and_stay_numbers_in_json(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"jobs": [{"job_id": "j", "name": "train", "state": "done", "created_at": 1_795_190_967_116_296}]}
    assert "2026-11-20T16:09:27Z" in fairlead("job", "list").out
    assert json.loads(fairlead("job", "list", "--json").out)[0]["created_at"] == 1_795_190_967_116_296


def test_verify_is_unhealthy_when_the_chain_does_not_hold(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"ok": False, "entries": 4, "first_bad": 5, "anchored_to": 3, "reason": "entry 5 was changed"}
    ran = fairlead("ledger", "verify", "--json")
    assert (ran.code, json.loads(ran.out)["first_bad"]) == (6, 5)


def test_replay_is_unhealthy_on_a_mismatch(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"verdict": "mismatch", "stage": "score", "reason": ""}
    assert fairlead("replay", "d-1", "--json").code == 6
    peer.answer = {"verdict": "exact", "stage": None, "reason": ""}
    assert fairlead("replay", "d-1", "--json").code == 0


def test_documents_come_from_a_file_and_mistakes_are_named(fairlead: Any, peer: Peer, tmp_path: Path) -> None:
    common = ("--yes", "--reason", "a new campaign", "--json")
    assert fairlead("campaign", "create", str(tmp_path / "absent.json"), *common).code == 3
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[1, 2]")
    assert fairlead("campaign", "create", str(wrong), *common).code == 2
    wrong.write_text('{"key": "spring"}')
    assert fairlead("campaign", "create", str(wrong), *common).code == 0
    assert peer.asked[-1][2] == {"campaign": {"key": "spring"}, "reason": "a new campaign"}


def test_what_is_edited_or_deleted_is_what_was_read(fairlead: Any, peer: Peer, tmp_path: Path) -> None:
    document = tmp_path / "cap.json"
    document.write_text('{"key": "daily", "limit": 2}')
    common = ("--yes", "--reason", "people see it too often", "--json")
    why = {"reason": "people see it too often"}
    peer.answer = {"etag": "e-1"}
    assert fairlead("cap", "edit", "daily", str(document), *common).code == 0
    assert fairlead("cap", "delete", "daily", "--confirm", "daily", *common).code == 0
    path = "/control/v1/caps/daily"
    assert peer.asked == [
        ("GET", path, None),
        ("PUT", path, {"cap": {"key": "daily", "limit": 2}, **why}),
        ("GET", path, None),
        ("DELETE", path, {"confirm": "daily", **why}),
    ]
    assert [tag for tag in peer.tags if tag] == ["e-1", "e-1"]


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
