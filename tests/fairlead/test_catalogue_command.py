"""``fairlead catalogue import``: a file read once, with its report, without control."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from fairlead.cli import app
from fairlead.settings import load
from fairlead.wiring import open_store
from storage import catalogue
from storage.errors import FairleadError, Invalid

CSV = "sku;name;price\na;Coat;10\nb;Hat;cheap\n"


@pytest.fixture
def installed(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAIRLEAD_HOME", str(home))
    open_store(load({}).settings)
    return home


def run(*arguments: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["catalogue", "import", *arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = orjson.loads(result.stdout)
    return found


def test_a_file_is_taken_and_what_was_refused_is_told(installed: Path, tmp_path: Path) -> None:
    path = tmp_path / "shop.csv"
    path.write_text(CSV)
    options = ("--delimiter", ";", "--mapping", '{"item_id": "sku", "title": "name"}')
    told = run(str(path), *options)
    assert (told["added"], told["refused"]) == (1, 1)
    (refusal,) = told["refusals"]
    assert (refusal["row"], refusal["field"]) == (2, "attributes.price")
    path.write_text(CSV.replace("a;Coat;10", "c;Cap;3"))
    with pytest.raises(FairleadError, match="nothing was taken: 1 of 1 items are no longer there"):
        run(str(path), *options, "--hide")
    path.write_text(CSV.replace("cheap", "4"))
    mended = run(str(path), *options, "--hide")
    assert (mended["added"], mended["unchanged"], mended["hidden"]) == (1, 1, 0)


def test_what_cannot_be_read_changes_nothing_and_says_why(installed: Path, tmp_path: Path) -> None:
    for arguments, error, said in (
        ((str(tmp_path / "none.csv"),), FairleadError, "there is no file"),
        ((str(tmp_path / "none.csv"), "--mapping", "x"), Invalid, "--mapping is a JSON object"),
        ((str(tmp_path / "none.csv"), "--mapping", '{"sku": "a"}'), Invalid, "mapping.sku"),
    ):
        with pytest.raises(error, match=said):
            CliRunner().invoke(app, ["catalogue", "import", *arguments], catch_exceptions=False)
    with open_store(load({}).settings).database.read() as read:
        assert catalogue.version(read) == 0
