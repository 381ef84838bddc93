"""Rules and dashboard: made from the registry, naming nothing that is not there, and right by promtool's own tests."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from typer.testing import CliRunner

from fairlead.cli import app
from fairlead.monitoring import grafana, rules
from fairlead.monitoring.alerting import burning
from fairlead.monitoring.objectives import OBJECTIVES
from fairlead.monitoring.registry import registry, samples
from governance.alerts.burn import FEW as LEAST_BAD
from governance.alerts.burn import LEAST, SLOW, Counted, judge
from governance.alerts.house import HOUSE
from storage.records.alerts import BURN_WINDOWS
from tests.fairlead.alert_worlds import BURNS, FEW, FEW_STEPS, ILL, WELL, World, few

NAMED = re.compile(r"(?<![\w:])fairlead_\w+(?![\w:])")


def every_rule() -> list[dict[str, Any]]:
    return [rule for group in rules.rules()["groups"] for rule in group["rules"]]


def alerts() -> set[str]:
    return {rule["alert"] for rule in every_rule() if "alert" in rule}


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for row in board["panels"] for one in (row, *row.get("panels", ())) if one["type"] != "row"]


def expressions(board: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in panels(board) for target in panel["targets"]]


def shown() -> set[str]:
    return {name for families in registry().values() for family in families for name in samples(family)}


def recorded() -> set[str]:
    return {rule["record"] for rule in every_rule() if "record" in rule}


def test_rules_and_dashboard_name_only_what_is_shown_or_recorded() -> None:
    asked = [rule["expr"] for rule in every_rule()] + expressions(grafana.dashboard())
    assert {name for text in asked for name in NAMED.findall(text)} - shown() == set()
    ruled = re.compile(r"[a-z_]+:fairlead_\w+:\w+")
    assert {name for text in asked for name in ruled.findall(text)} - recorded() == set()


def test_labels_that_are_asked_for_are_carried() -> None:
    carried = {
        name: {*one.labels, "le"} for families in registry().values() for one in families for name in samples(one)
    }
    asked = [rule["expr"] for rule in every_rule()] + expressions(grafana.dashboard())
    selectors = re.compile(r"(?<![\w:])(fairlead_\w+)\{([^}]*)\}")
    target = {"environment", "instance", "job"}
    for text in asked:
        for name, inside in selectors.findall(text):
            assert set(re.findall(r"(\w+)(?:=~|!~|!=|=)", inside)) <= carried[name] | target, text


def test_no_family_is_named_as_prometheus_names_its_targets() -> None:
    taken = {"job", "instance", "environment"}
    assert [one.name for families in registry().values() for one in families if taken & {*one.labels}] == []


@pytest.fixture
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not on PATH")
    return found


@pytest.fixture
def written(tmp_path: Path) -> Path:
    (tmp_path / "fairlead.rules.yaml").write_text(rules.written(rules.rules(), "rules"))
    return tmp_path


def test_promtool_accepts_rules_and_configuration(promtool: str, written: Path) -> None:
    checked = subprocess.run(
        [promtool, "check", "rules", written / "fairlead.rules.yaml"], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert f"{len(every_rule())} rules found" in checked.stdout
    config = rules.scraping(engines=["a:1", "b:1"], control="c:2", environment="test", token_file="token")
    (written / "token").write_text("secret")
    (written / "prometheus.yml").write_text(rules.written(config, "scrape"))
    checked = subprocess.run(
        [promtool, "check", "config", written / "prometheus.yml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


def unit(series: Mapping[str, str], at: str, selector: str, count: int, every: str = "15s") -> dict[str, Any]:
    return {
        "interval": every,
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f"count(ALERTS{selector}) or vector(0)",
                "eval_time": at,
                "exp_samples": [{"labels": "{}", "value": count}],
            }
        ],
    }


def judged(promtool: str, folder: Path, units: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    (folder / "units.yaml").write_text(
        yaml.safe_dump({"evaluation_interval": "30s", "rule_files": ["fairlead.rules.yaml"], "tests": units})
    )
    return subprocess.run(
        [promtool, "test", "rules", folder / "units.yaml"], capture_output=True, text=True, check=False
    )


def fires(name: str, world: World, more: str = "", every: str = "15s") -> dict[str, Any]:
    return unit(*world, f'{{alertname="{name}",alertstate="firing"{more}}}', 1, every)


def test_every_alert_fires_in_its_world(promtool: str, written: Path) -> None:
    assert {*ILL, "FairleadBudgetBurns", "FairleadBadOfFew"} == alerts()
    units = [fires(name, world) for name, world in ILL.items()]
    done = judged(promtool, written, units)
    assert done.returncode == 0, done.stdout + done.stderr


def write_rules_of(slo: str, folder: Path) -> None:
    burn = [alert.rule() for one in OBJECTIVES if one.key == slo for alert in burning(one)]
    groups = [group for group in rules.rules()["groups"] if group["name"] == f"fairlead-slo-{slo}"]
    document = {"groups": [*groups, {"name": "burn", "rules": burn}]}
    (folder / "fairlead.rules.yaml").write_text(rules.written(document, "rules"))


@pytest.mark.parametrize(("slo", "window"), list(BURNS))
def test_budgets_burn_by_their_windows(promtool: str, tmp_path: Path, slo: str, window: str) -> None:
    write_rules_of(slo, tmp_path)
    wanted = fires("FairleadBudgetBurns", BURNS[slo, window], f',slo="{slo}",window="{window}"', "2m")
    done = judged(promtool, tmp_path, [wanted])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("good", "bad"), list(FEW))
def test_of_few_counts_alert_where_control_alerts(promtool: str, tmp_path: Path, good: float, bad: float) -> None:
    held = Counted(good=int(good * FEW_STEPS), valid=int(good * FEW_STEPS) + int(bad * FEW_STEPS))
    now = Counted(good=0, valid=int(bad > 0.0))
    assert held.valid < LEAST and judge(BURN_WINDOWS[0], held, now, 0.999).fires is FEW[good, bad]
    write_rules_of("availability", tmp_path)
    selector = '{alertname="FairleadBadOfFew",alertstate="firing",window="1h"}'
    done = judged(promtool, tmp_path, [unit(*few(good, bad), selector, int(FEW[good, bad]))])
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_holds_every_objective_of_the_house_against_its_own_windows() -> None:
    told = {(one.key, one.share, one.windows) for one in OBJECTIVES}
    assert told == {(slo.key, slo.objective, slo.windows) for slo in HOUSE}
    expressions = {
        (rule["alert"], rule["labels"]["slo"], rule["labels"]["window"]): (rule["expr"], rule["labels"]["severity"])
        for rule in every_rule()
        if "slo" in rule.get("labels", {}) and "alert" in rule
    }
    units = {"m": 60, "h": 3_600, "d": 86_400}
    asked = re.compile(r"fairlead_bad:ratio(\d+)([mhd])[^>]*>= ([\d.]+) \* ([\d.e-]+)")
    for slo in HOUSE:
        for window in slo.windows:
            label = next(f"{window.long_s // size}{unit}" for unit, size in units.items() if window.long_s // size < 24)
            text, severity = expressions.pop(("FairleadBudgetBurns", slo.key, label))
            found = [(int(n) * units[unit], float(by), float(share)) for n, unit, by, share in asked.findall(text)]
            budget = pytest.approx(1.0 - slo.objective)
            assert found == [(each, window.factor, budget) for each in (window.long_s, window.short_s)]
            assert text.endswith(f">= {LEAST}") and (severity == "page") is (window.factor >= SLOW)
            counts, gravity = expressions.pop(("FairleadBadOfFew", slo.key, label))
            assert f">= {LEAST_BAD} and" in counts and counts.endswith(f"< {LEAST}") and gravity == severity
    assert expressions == {}


def test_where_all_is_well_nothing_fires(promtool: str, written: Path) -> None:
    done = judged(promtool, written, [unit(WELL, at, '{alertstate="firing"}', 0) for at in ("30m", "75m")])
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_in_the_handbook() -> None:
    text = Path("docs/guide/monitoring.md").read_text("utf-8")
    assert {name for name in alerts() if f"### {name}\n" not in text} == set()


def lost(ours: Any, theirs: Any, at: str = "") -> list[str]:
    """Where what was written is not what was understood; what was added by default is none of it."""
    if isinstance(ours, dict):
        return [one for key, value in ours.items() for one in lost(value, theirs.get(key), f"{at}/{key}")]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = zip(ours, theirs, strict=True)
        return [one for number, (a, b) in enumerate(pairs) for one in lost(a, b, f"{at}/{number}")]
    return [] if ours == theirs else [at]


def test_the_dashboard_is_whole_in_grafanas_own_model() -> None:
    board = grafana.dashboard()
    assert lost(board, json.loads(JSONEncoder(sort_keys=True).encode(Dashboard.from_json(board)))) == []


def test_every_family_has_a_panel_that_explains_itself() -> None:
    found = panels(grafana.dashboard())
    asked = " ".join(target["expr"] for panel in found for target in panel["targets"])
    used = set(NAMED.findall(asked))
    families = [family for one in registry().values() for family in one]
    assert [one.name for one in families if not samples(one) & used] == []
    assert [
        one["title"] for one in found if "Source: " not in one["description"] and "budget" not in one["description"]
    ] == []
    assert len({one["id"] for one in found}) == len(found)


def test_the_command_prints_what_can_be_loaded() -> None:
    run = CliRunner().invoke
    listed = json.loads(run(app, ["metrics", "list", "--json"]).stdout)
    assert {one["name"] for one in listed} == {one.name for families in registry().values() for one in families}
    assert yaml.safe_load(run(app, ["metrics", "rules"]).stdout) == rules.rules()
    assert json.loads(run(app, ["metrics", "grafana"]).stdout)["uid"] == "fairlead"
    config = yaml.safe_load(run(app, ["metrics", "scrape", "--engine", "a:1", "--engine", "b:2"]).stdout)
    assert config["scrape_configs"][0]["static_configs"][0]["targets"] == ["a:1", "b:2"]
