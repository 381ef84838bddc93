"""What others read: both exposition formats, strictly; metric windows; the journal; health."""

import json
import shutil
import socket
import subprocess
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as prometheus

from scoring_core.edges.instruments import L20
from storage.records import wire
from storage.records.decisions import Decision
from storage.records.events import DeadLetter, Event, ItemEpoch
from tests.scoring_core.edges.running import Installed, Running, running

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
LONGEST_SERIES = 5_000


def traffic(engine: Running) -> None:
    engine.decide(subject="u-1", campaign="men")
    engine.decide()
    engine.client.post("/v1/personalize", content=b"{")
    engine.client.post("/v1/events", json={"type": "click", "item": "item-1", "subject": "u-1"})
    engine.client.post("/v1/events", json={"type": "explode"})


def test_both_formats_parse_strictly_and_agree(engine: Running) -> None:
    traffic(engine)
    plain = engine.client.get("/metrics")
    opened = engine.client.get("/metrics", headers={"accept": OPENMETRICS})
    assert plain.headers["content-type"].startswith("text/plain; version=")
    assert opened.headers["content-type"].startswith("application/openmetrics-text")
    assert opened.text.endswith("# EOF\n")

    def samples(families: Any) -> dict[Any, float]:
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in families
            for sample in family.samples
        }

    one, two = samples(prometheus(plain.text)), samples(openmetrics(opened.text))
    assert one.keys() == two.keys()
    assert len(one) < LONGEST_SERIES
    assert len(plain.content) < 1 << 20
    assert one["fairlead_ready", ()] == 1.0
    assert one["fairlead_decision_requests_total", (("campaign", "men"), ("outcome", "model"), ("reason", "ok"))] >= 1.0
    assert one["fairlead_events_received_total", (("result", "accepted"), ("type", "click"))] >= 1.0
    assert one["fairlead_events_received_total", (("result", "dead_letter"), ("type", "other"))] >= 1.0
    assert one["fairlead_http_rejections_total", (("reason", "invalid"),)] >= 1.0
    assert one["fairlead_consent_violations_total", (("detector", "online"),)] == 0.0
    assert ("process_start_time_seconds", ()) in one
    edges = [dict(labels)["le"] for name, labels in one if name == "fairlead_decision_duration_seconds_bucket"]
    assert {float(edge) for edge in edges} == {*L20, float("inf")}


def test_promtool_finds_nothing_to_mend(engine: Running) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not on PATH")
    traffic(engine)
    text = engine.client.get("/metrics").content
    checked = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.e2e
def test_a_real_prometheus_scrapes(engine: Running, tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not on PATH")
    traffic(engine)
    config = {
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [
            {
                "job_name": "fairlead",
                "authorization": {"credentials": engine.token},
                "static_configs": [{"targets": [f"127.0.0.1:{engine.port}"]}],
            }
        ],
    }
    (tmp_path / "prometheus.yml").write_text(json.dumps(config))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'tsdb'}"]
    child = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:

        def seen() -> list[dict[str, Any]]:
            asked = {"query": 'fairlead_decision_requests_total{campaign="men",outcome="model"} > 0'}
            answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/query", params=asked)
            found: list[dict[str, Any]] = answer.json()["data"]["result"] if answer.status_code == 200 else []
            return found

        assert engine.until(seen)
        (target,) = httpx.get(f"http://127.0.0.1:{port}/api/v1/targets").json()["data"]["activeTargets"]
        assert (target["health"], target["lastError"]) == ("up", "")
    finally:
        child.terminate()
        child.wait(20)


def counters(windows: list[dict[str, Any]], name: str) -> float:
    return sum(each["value"] for window in windows for each in window["counters"] if each["name"] == name)


def test_windows_add_up_to_the_truth_across_a_graceful_restart(installed: Installed) -> None:
    with running(installed, window_s=0.2) as engine:
        for _ in range(7):
            engine.decide(subject="u-1")
        first = engine.replica.boot_id
        engine.until(lambda: len(engine.client.get("/v1/metrics/windows").json()["windows"]) >= 2)
        engine.decide(subject="u-1")
    with running(installed, window_s=0.2) as engine:
        for _ in range(5):
            engine.decide(subject="u-2")

        def whole() -> list[dict[str, Any]]:
            windows: list[dict[str, Any]] = engine.client.get("/v1/metrics/windows").json()["windows"]
            return windows if counters(windows, "fairlead_decision_requests_total") >= 13 else []

        windows = engine.until(whole)
        assert counters(windows, "fairlead_decision_requests_total") == 13
        durations = [
            each
            for window in windows
            for each in window["histograms"]
            if each["name"] == "fairlead_decision_duration_seconds"
        ]
        assert sum(sum(each["counts"]) for each in durations) == 13
        assert all(len(each["counts"]) == len(each["edges"]) + 1 for each in durations)
        boots = [(window["boot_id"], window["seq"]) for window in windows]
        old = [seq for boot, seq in boots if boot == first]
        new = [seq for boot, seq in boots if boot != first]
        assert old == list(range(len(old)))
        assert new == list(range(len(new)))
        rest = engine.client.get("/v1/metrics/windows", params={"after": f"{first}:{old[-2]}"}).json()["windows"]
        assert (rest[0]["boot_id"], rest[0]["seq"]) == (first, old[-1])
        later = engine.client.get("/v1/metrics/windows", params={"after": f"{engine.replica.boot_id}:0"}).json()
        assert {window["boot_id"] for window in later["windows"]} <= {engine.replica.boot_id}
        assert all(window["seq"] > 0 for window in later["windows"])
        assert engine.client.get("/v1/metrics/windows", params={"after": "x:nan"}).status_code == 422


def test_the_journal_pages_in_order_in_both_formats(engine: Running) -> None:
    traffic(engine)
    engine.written()
    entries = engine.journal()
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    packed = engine.client.get(
        "/v1/journal", params={"after": 0, "limit": 10_000}, headers={"accept": "application/x-msgpack"}
    )
    assert packed.headers["content-type"] == "application/x-msgpack"
    page = msgspec.msgpack.decode(packed.content)
    assert set(page) == {"replica", "log", "boot_id", "head", "entries"}
    kinds = {"event": Event, "decision": Decision, "epoch": ItemEpoch, "dead_letter": DeadLetter}
    decoded = {kind for _, kind, _, payload in page["entries"] if wire.decode(kinds[kind], payload)}
    assert decoded >= {"event", "decision", "dead_letter"}
    head = page["head"]
    assert [entry["seq"] for entry in engine.journal(head - 2, 1)] == [head - 1]
    assert engine.journal(head + 1_000) == []
    for bad in ("nan", "-1", "1e3", "9" * 30):
        refused = engine.client.get("/v1/journal", params={"after": bad})
        assert (refused.status_code, refused.json()["problems"][0]["field"]) == (422, "after")


def test_names_without_end_do_not_become_labels(engine: Running) -> None:
    telemetry = engine.replica.telemetry
    for n in range(20_000):
        telemetry.decisions.child(telemetry.campaign(f"campaign-{n}"), "model", "ok").add()
        telemetry.events.child(f"type-{n}", "accepted").add()
        telemetry.confidence.child(f"campaign-{n}").observe(0.5)
        telemetry.policy_evaluations.child(f"policy-{n}", "allow").add()
    text, _ = telemetry.expose("text/plain")
    families = list(prometheus(text.decode()))
    assert sum(len(family.samples) for family in families) < LONGEST_SERIES
    overflow = {
        sample.labels["label"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "fairlead_label_overflow_total"
    }
    assert overflow["campaign"] >= 20_000
    assert overflow["type"] >= 19_000


def test_health_needs_no_token(engine: Running) -> None:
    nobody = {"authorization": ""}
    assert engine.client.get("/healthz", headers=nobody).json() == {"status": "ok"}
    ready = engine.client.get("/readyz", headers=nobody).json()
    assert ready["ready"] is True
    assert ready["degraded"] == []
