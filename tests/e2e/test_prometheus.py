"""A real Prometheus scrapes a whole copy, with the configuration and rules that the command line prints."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from fairlead.monitoring.registry import CONTROL, ENGINE, registry, samples
from tests.e2e.installation import Copy

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]
PATIENCE_S = 90.0
MUST_SPEAK = {
    "Decisions",
    "Decisions that failed",
    "Latency",
    "Latency by time",
    "Revision in force",
    "schedule leader",
}


class Prometheus:
    """Prometheus on a port of its own."""

    def __init__(self, port: int) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False)

    def ask(self, expression: str) -> list[dict[str, Any]]:
        """The answer to an expression; an error of it fails the test."""
        answer = self.client.post("/api/v1/query", data={"query": expression}).json()
        assert answer["status"] == "success", (expression, answer)
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found

    def known(self) -> set[str]:
        """The names of all series."""
        return set(self.client.get("/api/v1/label/__name__/values").raise_for_status().json()["data"])


@pytest.fixture(scope="module")
def prometheus(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("prometheus is not on PATH")
    folder: Path = tmp_path_factory.mktemp("prometheus")
    minted = copy.data("token", "create", "--name", "prometheus", "--scopes", "metrics:read")
    (folder / "fairlead.token").write_text(minted["token"])
    config = copy.data("metrics", "scrape", "--token-file", str(folder / "fairlead.token"))
    rules = copy.data("metrics", "rules")
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    for group in rules["groups"]:
        group.pop("interval", None)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    (folder / "fairlead.rules.yaml").write_text(yaml.safe_dump(rules))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    child = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    found = Prometheus(port)
    wanted = {rule["record"] for group in rules["groups"] for rule in group["rules"] if "record" in rule}
    try:
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            try:
                if wanted <= found.known():
                    break
            except httpx.HTTPError:
                pass
            time.sleep(1)
        yield found
    finally:
        found.client.close()
        child.terminate()
        child.wait(20)


def test_every_target_answers_and_every_recording_rule_yields_a_value(prometheus: Prometheus, copy: Copy) -> None:
    targets = prometheus.client.get("/api/v1/targets").json()["data"]["activeTargets"]
    assert {(one["labels"]["job"], one["health"], one["lastError"]) for one in targets} == {
        (ENGINE, "up", ""),
        (CONTROL, "up", ""),
    }
    groups = prometheus.client.get("/api/v1/rules").json()["data"]["groups"]
    ruled = [rule for group in groups for rule in group["rules"]]
    assert [(rule["name"], rule.get("lastError")) for rule in ruled if rule["health"] != "ok"] == []
    records = [rule for rule in ruled if rule["type"] == "recording"]
    assert [rule["name"] for rule in records if not prometheus.ask(rule["name"])] == []
    decided = prometheus.ask("environment:fairlead_decisions:rate5m")
    assert float(decided[0]["value"][1]) > 0


def test_the_registry_is_what_the_processes_show(prometheus: Prometheus) -> None:
    for job, families in registry().items():
        answer = prometheus.client.get("/api/v1/label/__name__/values", params={"match[]": f'{{job="{job}"}}'})
        told = {name for name in answer.json()["data"] if name.startswith("fairlead_")}
        assert told - {name for family in families for name in samples(family)} == set()


def test_every_question_of_the_dashboard_is_answered(prometheus: Prometheus, copy: Copy) -> None:
    board = copy.data("metrics", "grafana")
    panels = [one for row in board["panels"] for one in (row, *row.get("panels", ())) if one["type"] != "row"]
    silent = []
    for panel in panels:
        for target in panel["targets"]:
            asked = target["expr"].replace("$environment", ".*").replace("$replica", ".*")
            if not prometheus.ask(asked.replace("$__rate_interval", "1m")):
                silent.append(panel["title"])
    assert {title for title in silent if title in MUST_SPEAK} == set()
    assert len(set(silent)) < len(panels) / 2, silent
