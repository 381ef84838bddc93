"""A log of one's own: columns of a CSV or Parquet file, refused rows by line, the same figures as by hand."""

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from governance.own_log import OwnLog, estimate_own
from storage.errors import Invalid, NotFound

ASKED = OwnLog(reward="reward", logged="logged", target="target", draws=200)


def table(rows: int = 500) -> pa.Table:
    rng = np.random.default_rng(3)
    return pa.table(
        {
            "reward": (rng.random(rows) < 0.3).astype(int),
            "logged": rng.uniform(0.2, 0.8, rows),
            "target": rng.uniform(0.2, 0.8, rows),
            "country": rng.choice(["DE", "AT", "CH"], rows),
            "age": rng.normal(size=rows),
            "person": rng.integers(80, size=rows),
        }
    )


def test_csv_and_parquet_give_the_same_figures_and_they_are_the_formulas(tmp_path) -> None:
    found = table()
    csv.write_csv(found, tmp_path / "log.csv")
    parquet.write_table(found, tmp_path / "log.parquet")
    one, other = (estimate_own(tmp_path / f"log.{form}", ASKED) for form in ("csv", "parquet"))
    weights = found["target"].to_numpy() / found["logged"].to_numpy()
    reward = found["reward"].to_numpy()
    assert one["ips"] == pytest.approx((weights * reward).mean())
    assert one["snips"] == pytest.approx((weights * reward).sum() / weights.sum())
    assert one == other | {"ips": pytest.approx(other["ips"])}
    assert (one["n"], one["rows"], one["refused"]) == (500, 500, [])


def test_refused_rows_come_with_their_line_and_the_rest_is_estimated(tmp_path) -> None:
    path = tmp_path / "log.csv"
    lines = ["reward,logged,target", *["1,0.5,0.5"] * 120]
    lines[3], lines[5], lines[7], lines[9] = "1,0,0.5", "0,-0.5,0.5", "none,0.5,0.5", "1,0.5,1.5"
    path.write_text("\n".join(lines), "utf-8")
    found = estimate_own(path, ASKED)
    assert [(each["line"], each["field"]) for each in found["refused"]] == [
        (4, "logged"),
        (6, "logged"),
        (8, "reward"),
        (10, "target"),
    ]
    assert (found["n"], found["refused_rows"]) == (116, 4)
    assert found["unsupported_share"] == pytest.approx(2 / 118)


def test_features_tell_dr_and_a_unit_widens(tmp_path) -> None:
    path = tmp_path / "log.parquet"
    whole = pa.concat_tables([table()] * 4)
    parquet.write_table(whole, path)
    found = estimate_own(path, OwnLog(**{**_fields(), "features": ("country", "age"), "unit": "person"}))
    alone = estimate_own(path, ASKED)
    width = found["intervals"]["ips"][1] - found["intervals"]["ips"][0]
    assert "dr" in found
    assert "dr" not in alone
    assert width > alone["intervals"]["ips"][1] - alone["intervals"]["ips"][0]


def test_clipping_is_off_unless_asked_for(tmp_path) -> None:
    path = tmp_path / "log.parquet"
    parquet.write_table(table(), path)
    assert estimate_own(path, ASKED)["clip"] is None
    clipped = estimate_own(path, OwnLog(**{**_fields(), "clip": 1.5}))
    assert clipped["max_weight"] == 1.5
    assert 0.0 < clipped["clipped_share"] < 1.0


def test_what_cannot_be_read_is_refused(tmp_path) -> None:
    path = tmp_path / "log.csv"
    path.write_text("reward,logged,target\n1,0,0.5\n", "utf-8")
    with pytest.raises(Invalid, match="no row"):
        estimate_own(path, ASKED)
    with pytest.raises(Invalid, match="lacks a column: chance"):
        estimate_own(path, OwnLog(reward="reward", logged="chance", target="target"))
    with pytest.raises(NotFound):
        estimate_own(tmp_path / "nowhere.csv", ASKED)


def _fields() -> dict:
    return {"reward": "reward", "logged": "logged", "target": "target", "draws": 200}
