"""Whatever is sent, the engine answers in its own words: never a 5xx, never an echo, never a half-stored batch."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.scoring_core.edges.running import Running

MARK = "zq9x"
"""No word of ours; text that is drawn holds it, so that an echo shows."""
text = st.text(max_size=12).map(lambda drawn: MARK + drawn)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=10,
)
NAMES = ("surface", "subject", "session", "campaign", "slots", "context", "candidates", "type", "item", "at", "value")
documents = st.dictionaries(
    st.sampled_from(NAMES) | text, values | st.sampled_from(["home", "men", "click"]), max_size=8
)
bodies = st.binary(max_size=200) | (documents | st.lists(documents, max_size=4) | values).map(
    lambda document: json.dumps(document).encode()
)
PROBLEM = {"type", "title", "status", "code", "detail", "problems"}
REFUSALS = {400, 413, 415, 422}


@given(body=bodies, path=st.sampled_from(["/v1/personalize", "/v1/rerank"]))
@settings(max_examples=300)
def test_any_body_of_a_decision(engine: Running, body: bytes, path: str) -> None:
    answer = engine.client.post(path, content=body)
    if answer.status_code == 200:
        assert answer.json()["items"] is not None
        return
    assert answer.status_code in REFUSALS
    problem = answer.json()
    assert set(problem) == PROBLEM
    assert problem["problems"]
    assert MARK + MARK not in answer.text
    for each in problem["problems"]:
        assert MARK not in each["message"]


@given(body=bodies, lines=st.booleans())
@settings(max_examples=300)
def test_any_body_of_events_is_accounted_for(engine: Running, body: bytes, lines: bool) -> None:
    before = engine.replica.log.head()
    headers = {"content-type": "application/x-ndjson"} if lines else {}
    answer = engine.client.post("/v1/events", content=body, headers=headers)
    assert answer.status_code in {202, *REFUSALS}
    told = answer.json()
    stored = [entry for entry in engine.replica.log.read(before, 1_000) if entry.kind in ("event", "dead_letter")]
    if "dead_letters" in told:
        assert told["accepted"] + told["dead_letters"] == len(stored)
    elif answer.status_code == 202:
        assert told["accepted"] == len(stored)
    else:
        assert {entry.kind for entry in stored} <= {"dead_letter"}


@given(query=st.text(max_size=30))
@settings(max_examples=100)
def test_any_query(engine: Running, query: str) -> None:
    for path in ("/v1/journal", "/v1/metrics/windows"):
        answer = engine.client.get(path, params={"after": query, "limit": "5"})
        assert answer.status_code in {200, 422}
        if answer.status_code == 422:
            assert set(answer.json()) == PROBLEM
