"""``fairlead offpolicy --data``: data on stdout, refused lines on stderr, usage errors with exit code 2."""

import json

import pytest

from fairlead.cli import app, main


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["fairlead", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_table_command_prints_one_document(tmp_path, monkeypatch, capsys) -> None:
    path = tmp_path / "log.csv"
    rows = [f"{int(row % 3 == 0)},0.5,{0.25 if row % 2 else 0.75}" for row in range(400)]
    path.write_text("\n".join(["r,p,q", *rows, "1,0,0.5"]), "utf-8")
    columns = ("--reward", "r", "--logged", "p", "--target", "q")
    assert run(monkeypatch, "offpolicy", "--data", str(path), *columns, "--draws", "200", "--json") == 0
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert found["verdict"] == "supported"
    assert found["n"] == 400
    assert found["intervals"]["ips"][0] < found["ips"] < found["intervals"]["ips"][1]
    assert "line 402 refused" in said.err
    assert run(monkeypatch, "offpolicy", "--data", str(path), *columns, "--draws", "200") == 0
    assert "supported: The log supports the target" in capsys.readouterr().err


def test_a_missing_column_and_a_missing_option_are_usage_errors(tmp_path, monkeypatch, capsys) -> None:
    path = tmp_path / "log.csv"
    path.write_text("r,p,q\n1,0.5,0.5\n", "utf-8")
    assert run(monkeypatch, "offpolicy", "--data", str(path), "--reward", "r") == 2
    assert run(monkeypatch, "offpolicy", "--data", str(path), "--reward", "r", "--logged", "x", "--target", "q") == 2
    assert "x: the table has no such column" in capsys.readouterr().err
    assert app.info.name == "fairlead"
