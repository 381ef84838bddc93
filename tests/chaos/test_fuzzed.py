"""R35, R61: whatever is posted to the engine, no answer is a 5xx and nothing that was sent is said again.

``FAIRLEAD_TEST_FUZZ`` sets how many bodies are posted to each route (2,000 in the published figure).
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.chaos.plants import Plant, planted

BODIES = int(os.environ.get("FAIRLEAD_TEST_FUZZ", "120"))
CANARY = "kanarienvogel"
"""In values and in names that are no plain ones: it may stand in no answer and in no line of a log."""
PERSON = "kea@parrot.example"
"""In subjects and sessions: it may stand nowhere in the home folder either."""
DECISION = {"surface": "home", "campaign": "men", "slots": 2, "context": {"mood": "wild", "age": 3, "member": True}}
DECISION |= {"subject": PERSON, "session": PERSON, "candidates": ["item-1", "item-2"]}
EVENT = {"type": "click", "event_id": "e", "at": 1_700_000_000_000_000, "subject": PERSON, "session": PERSON}
EVENT |= {
    "item": "item-1",
    "surface": "home",
    "campaign": "men",
    "decision_id": "d",
    "value": 1.5,
    "properties": {"a": 1},
}
VALID: dict[str, Any] = {
    "/v1/personalize": DECISION,
    "/v1/rerank": DECISION,
    "/v1/events": EVENT,
    "/api/v1/events": {"events": [EVENT, EVENT]},
}

texts = st.one_of(
    st.text(max_size=20).map(lambda text: text + CANARY),
    st.sampled_from(
        [f"<script>{CANARY}</script>", f"![{CANARY}](http://x)", f"\r\nforged: {CANARY}", f"\x1b[31m{CANARY}"]
    ),
    st.sampled_from([f"'; DROP TABLE events; --{CANARY}", f"{CANARY}\x00", CANARY * 200, f"\ud800{CANARY}"]),
)
names = texts.map(lambda text: f"<{text}>")
numbers = st.one_of(
    st.integers(),
    st.floats(),
    st.sampled_from([2**53, 2**63, -(2**63) - 1, 2**64, 10**400, 1e308, float("nan"), float("inf"), -0.0]),
)
values = st.recursive(
    st.one_of(texts, numbers, st.none(), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=12,
)


@st.composite
def mutants(draw: st.DrawFn, valid: Any) -> Any:
    """Return a valid document in which something was replaced, dropped, added or wrapped, at any depth."""
    if isinstance(valid, list):
        return [draw(mutants(each)) for each in valid] if draw(st.booleans()) else draw(values)
    if not isinstance(valid, dict) or draw(st.integers(0, 9)) == 0:
        return draw(values)
    made = dict(valid)
    for key in draw(st.lists(st.sampled_from(sorted(valid)), max_size=3)):
        made[key] = draw(mutants(valid[key]))
    for key in draw(st.lists(st.sampled_from(sorted(valid)), max_size=2)):
        made.pop(key, None)
    if draw(st.integers(0, 3)) == 0:
        made[draw(names)] = draw(values)
    return made


def bodies(valid: Any) -> st.SearchStrategy[bytes]:
    """Return mutants as JSON, JSON with bytes replaced or cut, and bytes."""
    spelled = mutants(valid).map(lambda made: json.dumps(made).encode())
    raw = st.binary(max_size=200).map(lambda data: data + CANARY.encode())
    cut = st.tuples(spelled, st.integers(0, 400), st.binary(max_size=4)).map(
        lambda parts: parts[0][: parts[1]] + parts[2] + parts[0][parts[1] + len(parts[2]) :]
    )
    lines = st.lists(spelled, max_size=4).map(b"\n".join)
    return st.one_of(spelled, spelled, cut, lines, raw)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plant]:
    with planted(tmp_path_factory.mktemp("fuzz") / "home") as plant:
        plant.start()
        yield plant


def leaked(plant: Plant) -> list[str]:
    """Return the journal's entries, and the files of the home folder, that hold the person's name."""
    home = plant.settings.home
    files = [path for path in home.rglob("*") if path.is_file() and PERSON.encode() in path.read_bytes()]
    entries = [str(entry["record"]) for entry in plant.journal() if PERSON in str(entry)]
    return entries[:5] + [str(path.relative_to(home)) for path in files]


@pytest.mark.e2e
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("route", sorted(VALID))
def test_no_body_breaks_the_engine_or_is_said_again(engine: Plant, route: str) -> None:
    media = ["application/json", "application/x-ndjson", "text/plain", f"text/{CANARY}"]
    statuses: Counter[int] = Counter()

    @settings(max_examples=BODIES, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(body=bodies(VALID[route]), kind=st.sampled_from(media), gpc=st.booleans())
    def fuzz(body: bytes, kind: str, gpc: bool) -> None:
        headers = {"content-type": kind} | ({"sec-gpc": "1"} if gpc else {})
        answer = client.post(route, content=body, headers=headers)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, (answer.status_code, body)
        said = answer.text + str(answer.headers)
        assert CANARY not in said, (said, body)
        assert PERSON not in said, (said, body)
        assert answer.status_code == 202 or answer.status_code == 200 or answer.json()["code"].startswith("FL-1")

    with engine.client() as client:
        fuzz()
        assert client.get("/healthz").status_code == 200
        shown = client.get("/metrics").text
    print(f"{route}: {statuses.total()} bodies, {dict(sorted(statuses.items()))}")
    assert CANARY not in engine.said + shown
    assert PERSON not in engine.said + shown
    assert "Traceback" not in engine.said
    assert leaked(engine) == []


@pytest.mark.e2e
def test_no_header_path_or_query_breaks_the_engine_or_is_said_again(engine: Plant) -> None:
    odd = [
        CANARY,
        f"Bearer {CANARY}",
        f"Basic {CANARY}",
        f"Bearer fl_{CANARY}",
        "Bearer",
        f"bearer\t{CANARY}",
        "\xff" * 50,
    ]
    paths = [
        "/v1/decisions/{}",
        "/v1/decisions/{}/explanation",
        "/v1/decisions/{}/replay",
        "/v1/{}",
        "/{}",
        "/api/v1/{}",
    ]
    paths += [
        "/v1/journal?after={}",
        "/v1/journal?limit={}",
        "/v1/metrics/windows?after={}",
        "/metrics?{}",
        "/readyz?{}",
    ]
    fills = [
        CANARY,
        f"%3Cscript%3E{CANARY}",
        f"..%2F..%2F{CANARY}",
        f"-1{CANARY}",
        f"%00{CANARY}",
        f"{CANARY}:9",
        f"%ff{CANARY}",
    ]
    statuses: Counter[int] = Counter()

    def check(answer: httpx.Response) -> None:
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, answer.request.url
        assert CANARY not in answer.text + str(answer.headers), answer.request.url

    with engine.client() as client:
        for path in paths:
            for fill in fills:
                for method in ("GET", "POST", "DELETE"):
                    check(client.request(method, path.format(fill)))
        for header in odd:
            for path in ("/v1/personalize", "/v1/events", "/v1/rerank"):
                check(client.post(path, json=DECISION, headers={"authorization": header.encode("latin-1")}))
        for name in ("accept", "content-encoding", "content-type", "sec-gpc", "x-request-id", "host"):
            check(client.post("/v1/personalize", json={"surface": "home"}, headers={name: CANARY}))
            check(client.get("/metrics", headers={name: CANARY}))
    print(f"{statuses.total()} odd headers, paths and queries: {dict(sorted(statuses.items()))}")
    assert CANARY not in engine.said
    assert "Traceback" not in engine.said
