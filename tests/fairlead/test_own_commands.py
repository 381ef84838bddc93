"""A person's own page from the command line: the whole link and nothing else, and the answer that they read."""

import json
from typing import Any

from tests.fairlead.peer import Peer, fairlead, peer

__all__ = ["fairlead", "peer"]

TOLD = {"token": "fl_own.x", "path": "/me/open/fl_own." + "x" * 300, "expires_at": 1}
WHY = ("--yes", "--reason", "they asked for their page")


def test_a_link_is_printed_whole(fairlead: Any, peer: Peer) -> None:
    peer.answer = TOLD
    ran = fairlead("subject", "link", "u-1", *WHY)
    assert ran.code == 0 and ran.out.strip().endswith(TOLD["path"]) and len(ran.out.split()) == 1
    assert json.loads(fairlead("subject", "link", "u-1", *WHY, "--json").out)["url"].endswith(TOLD["path"])
    assert fairlead("subject", "link", "u-1").code == 2


def test_a_review_is_answered(fairlead: Any, peer: Peer) -> None:
    peer.answer = {"request_id": "r-1", "state": "done"}
    ran = fairlead("subject", "answer", "r-1", "--yes", "--reason", "A person looked: it was a rule.", "--json")
    assert ran.code == 0 and json.loads(ran.out)["state"] == "done"
