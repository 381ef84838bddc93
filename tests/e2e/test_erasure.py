"""A canary lives in a running copy, is exported, and is erased: nothing that the copy keeps holds it afterwards."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from governance.control import Control
from governance.warrants import Warrant
from storage.database import Database
from storage.keys import Keys
from storage.pseudonyms import Salts, lookup
from storage.records import clock
from storage.records.access import ROLES, Principal
from storage.records.clock import MINUTE
from storage.signed import verified
from tests.e2e.installation import Copy, make_copy, until
from tests.e2e.traces import found_in_copy
from tests.e2e.visitors import own_token

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

MARK = "canary5d1f"
ACCOUNT, DEVICE, SESSION = f"{MARK}.account@example.org", f"{MARK}-device", f"{MARK}-session"
OTHER = "sparrow.account@example.org"
WHY = "a canary is sent into the mine"


class Mine:
    """A running copy, with the application's token and what it takes to command it."""

    def __init__(self, copy: Copy) -> None:
        self.copy = copy
        minted = copy.data("token", "create", "--name", "mine", "--scopes", "decide,events:write,decision:read")
        time.sleep(1.0)
        self.engine = httpx.Client(
            base_url=f"http://127.0.0.1:{copy.engine}",
            headers={"authorization": f"Bearer {minted['token']}"},
            timeout=20.0,
        )
        self.control = httpx.Client(
            base_url=f"http://127.0.0.1:{copy.control}/control/v1",
            headers={"authorization": f"Bearer {own_token(copy, 'admin')}"},
            timeout=20.0,
        )
        self.keys = Keys.open(copy.home)
        self.database = Database(copy.database_url)
        self.salts = Salts(self.database, self.keys.lookup)

    def command(self, path: str, **body: Any) -> Any:
        answer = self.control.post(path, json={"reason": WHY, **body})
        assert answer.is_success, answer.text
        return answer.json()

    def ask(self, path: str) -> Any:
        answer = self.control.get(path)
        assert answer.is_success, answer.text
        return answer.json()

    def live(self, raw: str, session: str) -> str:
        """Look at something twice, click, state something; return the last decision's id."""
        who = {"subject": raw, "session": session}
        made = self.engine.post(
            "/v1/personalize", json={"surface": "home", "campaign": "men", "slots": 3, **who}
        ).json()
        item = made["items"][0]["item"]
        events = [
            {
                "type": kind,
                "item": item,
                "surface": "home",
                "campaign": "men",
                "decision_id": made["decision_id"],
                "properties": {"note": f"of {raw}"},
                **who,
            }
            for kind in ("impression", "click")
        ]
        named = {"decision_id": made["decision_id"], "properties": {"note": raw}}
        events.append({"type": "no-such-type", **named, **who})
        assert self.engine.post("/v1/events", json=events).json()["problems"]
        stated = {"subject": raw, "interests": {"colour=red": 0.5}}
        assert until(lambda: self.engine.put("/v1/user/interests", json=stated).is_success), "a busy store says 503"
        body = {"surface": "home", "campaign": "men", "slots": 3, **who}
        return str(self.engine.post("/v1/personalize", json=body).json()["decision_id"])

    def carry_out(self, kind: str, subject: str) -> dict[str, Any]:
        """Register a request, let two people agree, let a quarter of an hour pass, wait until it is done."""
        request = self.command("/subjects/requests", subject=subject, kind=kind)
        change = request["change"]["change_id"]
        later = Control(
            self.database,
            self.keys,
            environment="development",
            solo=False,
            now=lambda: clock.now() + 16 * MINUTE,
        )
        assert self.control.post(f"/changes/{change}/apply", json={"reason": WHY}).status_code == 409
        for name in ("anna", "bert"):
            by = Principal(name=name, role="admin", scopes=ROLES["admin"], token_id=name)
            Control(self.database, self.keys, environment="development", solo=False).approve(
                change, Warrant(by=by, reason=WHY)
            )
        early = self.control.post(f"/changes/{change}/apply", json={"reason": WHY, "confirm": request["request_id"]})
        assert early.status_code == 409 and "minutes" in early.text
        by = Principal(name="carl", role="admin", scopes=ROLES["admin"], token_id="carl")
        later.apply(change, Warrant(by=by, reason=WHY, confirm=request["request_id"]))
        path = f"/subjects/requests/{request['request_id']}"
        done = until(lambda: (found := self.ask(path))["state"] == "done" and found, within_s=300.0, every_s=1.0)
        assert done, (self.ask(path), self.copy.logs())
        return dict(done)


@pytest.fixture(scope="module", params=["embedded", "servers"])
def mine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    settings = request.getfixturevalue("servers_of_a_copy") if request.param == "servers" else {}
    copy = make_copy(tmp_path_factory.mktemp("mine") / "home", settings).start("--traffic-rate", "5")
    made = Mine(copy)
    yield made
    made.engine.close()
    made.control.close()
    made.database.close()
    copy.stop()


def landed(mine: Mine, subject: str) -> Callable[[], bool]:
    from storage.lake import Lake

    def look() -> bool:
        with mine.database.read() as read:
            return len(Lake(mine.copy.home / "lake").acts(read, subject, limit=9)) >= 2

    return look


def test_no_store_file_log_cache_export_or_index_holds_the_canary(mine: Mine) -> None:
    for raw in (ACCOUNT, DEVICE, OTHER):
        for purpose in ("tracking", "personalization", "profiling"):
            mine.command("/consents/opt-in", subject=raw, purpose=purpose)
    before = mine.live(DEVICE, SESSION)
    assert mine.engine.post("/v1/user/identify", json={"visitor": DEVICE, "account": ACCOUNT}).json()["joined"]
    decisions = [before, mine.live(ACCOUNT, SESSION)]
    kept = mine.live(OTHER, "sparrow-session")
    names = {raw: mine.salts.find(raw) for raw in (ACCOUNT, DEVICE, OTHER)}
    assert all(names.values()) and until(landed(mine, names[ACCOUNT]), within_s=60.0)
    needles = [MARK, names[ACCOUNT], names[DEVICE], lookup(SESSION, mine.keys.lookup)[:32]]
    needles += [lookup(raw, mine.keys.lookup) for raw in (ACCOUNT, DEVICE)]
    assert len({place.split("/")[0].split(":")[0] for place in found_in_copy(mine.copy, needles)}) >= 3

    export = mine.carry_out("access", ACCOUNT)
    content = mine.control.get(f"/subjects/requests/{export['request_id']}/export").content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        whole = json.loads(archive.read("export.json"))
    assert len(whole["events"]) == 4 and set(decisions) <= {one["decision_id"] for one in whole["decisions"]}
    assert whole["events"][0]["properties"]["note"].startswith(f"of {MARK}")

    begun = time.monotonic()
    erased = mine.carry_out("erasure", ACCOUNT)
    assert time.monotonic() - begun < 300.0
    assert found_in_copy(mine.copy, needles) == []
    assert found_in_copy(mine.copy, [str(names[OTHER])])
    exposed = httpx.get(
        f"http://127.0.0.1:{mine.copy.engine}/metrics",
        headers={"authorization": f"Bearer {own_token(mine.copy, 'collector')}"},
    ).text
    assert MARK not in exposed

    receipt = mine.ask(f"/subjects/requests/{erased['request_id']}/receipt")
    assert verified(receipt["receipt"], receipt["public_key"].encode())
    told = receipt["receipt"]
    assert told["verified"]["found"] == {} and told["erased"]["exports"] == 1
    assert told["erased"]["database"]["subject_salts"] == 2
    assert told["erased"]["lake"] == {"decisions": 4, "events": 4} and told["erased"]["refused_events"] == 2
    assert mine.ask("/ledger/verify")["ok"]
    for decision in decisions:
        replay = mine.engine.get(f"/v1/decisions/{decision}/replay").json()
        assert replay["verdict"] == "erased" and verified(replay["tombstone"], mine.keys.public_pem)
        assert mine.control.get(f"/decisions/{decision}").status_code == 404
    assert mine.engine.get(f"/v1/decisions/{kept}/replay").json()["verdict"] == "exact"
    probed = mine.copy.run("subject", "probe", ACCOUNT, "--json")
    assert probed.returncode == 0, probed.stdout
    print(json.dumps(told, indent=2))


def test_who_comes_again_is_somebody_new(mine: Mine) -> None:
    made = mine.engine.post("/v1/personalize", json={"surface": "home", "subject": ACCOUNT, "slots": 3}).json()
    assert made["items"]
    assert mine.command("/subjects/look-up", subject=ACCOUNT)["requests"] == []
    assert Path(mine.copy.home / "exports").exists()
