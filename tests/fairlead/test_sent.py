"""What commands send to control, and how they show what it answers."""

import json
from pathlib import Path
from typing import Any

from tests.fairlead.peer import Peer, fairlead, peer

__all__ = ["fairlead", "peer"]


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
