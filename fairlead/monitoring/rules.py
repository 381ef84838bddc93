"""The file of rules that Prometheus loads, and the scrape configuration that fills their labels."""

from typing import Any

import yaml

from fairlead.monitoring import alerting, recording
from fairlead.monitoring.registry import CONTROL, ENGINE

HEAD = "# Made by `fairlead metrics {verb}`; make it anew rather than edit it.\n"


def rules() -> dict[str, Any]:
    """Return the document of recording and alerting rules."""
    return {"groups": [*recording.groups(), *alerting.groups()]}


def scraping(*, engines: list[str], control: str, environment: str, token_file: str) -> dict[str, Any]:
    """Return a Prometheus configuration that scrapes an installation and loads its rules."""

    def job(name: str, targets: list[str]) -> dict[str, Any]:
        return {
            "job_name": name,
            "authorization": {"credentials_file": token_file},
            "static_configs": [{"targets": targets, "labels": {"environment": environment}}],
        }

    return {
        "global": {"scrape_interval": "10s", "evaluation_interval": "15s"},
        "rule_files": ["fairlead.rules.yaml"],
        "scrape_configs": [job(ENGINE, engines), job(CONTROL, [control])],
    }


def written(document: dict[str, Any], verb: str) -> str:
    """Return a document as YAML, headed by what made it."""
    text: str = yaml.safe_dump(document, sort_keys=False, width=110, allow_unicode=True)
    return HEAD.format(verb=verb) + text
