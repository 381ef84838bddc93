"""The drift audit of two files: what moved is red, what did not is not, whatever the columns hold."""

import json

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet
from typer.testing import CliRunner

from fairlead.cli import app
from governance.checks.own_windows import audit_windows
from storage.errors import Invalid, NotFound
from storage.own_columns import OwnColumns


def table(seed: int, rows: int, *, moved: bool = False) -> pa.Table:
    rng = np.random.default_rng(seed)
    price = rng.lognormal(3.0 + 0.6 * moved, 1.0, rows)
    return pa.table(
        {
            "price": price,
            "visits": rng.poisson(4, rows),
            "country": rng.choice(["de", "fr", "at"], rows, p=[0.6, 0.3, 0.1] if not moved else [0.3, 0.3, 0.4]),
            "member": rng.random(rows) < 0.3,
            "seen": pa.array(rng.integers(0, 10**6, rows), pa.timestamp("s")),
            "born": pa.array(rng.integers(0, 20_000, rows).astype("int32"), pa.date32()),
            "age": pa.array([None if gone else 40.0 for gone in rng.random(rows) < (0.05 + 0.3 * moved)]),
            "id": [f"{seed}-{row}" for row in range(rows)],
        }
    )


def write(folder, name: str, content: pa.Table):
    path = folder / name
    (parquet.write_table if name.endswith("parquet") else csv.write_csv)(content, path)
    return path


def red(found) -> set[str]:
    return {row["feature"] for row in found["features"] if row["red"]}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_what_moved_is_red_and_what_did_not_is_not(tmp_path, form):
    reference = OwnColumns(write(tmp_path, f"a.{form}", table(1, 2_000)))
    calm = OwnColumns(write(tmp_path, f"b.{form}", table(2, 1_500)))
    other = OwnColumns(write(tmp_path, f"c.{form}", table(3, 1_500, moved=True)))
    found = audit_windows(reference, calm)
    assert (found["red"], red(found)) == (False, set())
    assert found["sentence"] == "No drift shown in 8 of 8 features."
    found = audit_windows(reference, other)
    assert found["red"] is True
    assert red(found) == {"price", "country", "age"}
    assert "Changed" in found["sentence"]
    for method in ("wasserstein", "ks"):
        found = audit_windows(reference, other, methods={"number": method})
        assert red(found) == {"price", "country", "age (missing)"}


def test_the_two_forms_say_the_same(tmp_path):
    parts = [table(1, 1_000), table(3, 900, moved=True)]
    said = [
        audit_windows(*(OwnColumns(write(tmp_path, f"{place}.{form}", part)) for place, part in enumerate(parts)))
        for form in ("csv", "parquet")
    ]
    assert said[0] == said[1]


def test_a_column_of_one_table_alone_is_missing_in_the_other(tmp_path):
    before, now = table(1, 900), table(2, 800)
    reference = OwnColumns(write(tmp_path, "a.parquet", before.drop_columns(["visits"])))
    current = OwnColumns(write(tmp_path, "b.parquet", now.drop_columns(["country"])))
    assert red(audit_windows(reference, current)) == {"visits", "country"}
    assert red(audit_windows(reference, current, features=["price"])) == set()


def test_a_column_that_turned_into_text_is_compared_as_text(tmp_path):
    reference = OwnColumns(write(tmp_path, "a.csv", pa.table({"x": [1] * 600 + [2] * 600})))
    current = OwnColumns(write(tmp_path, "b.csv", pa.table({"x": ["1"] * 600 + ["two"] * 600})))
    row = audit_windows(reference, current)["features"][0]
    assert (row["red"], row["new"]) == (True, ["two"])


def test_few_rows_and_none_are_not_judged(tmp_path):
    small, none = table(1, 499), table(1, 0)
    large = OwnColumns(write(tmp_path, "a.parquet", table(2, 900, moved=True)))
    for part in (small, none):
        found = audit_windows(OwnColumns(write(tmp_path, "b.parquet", part)), large)
        assert {row["statistical"] for row in found["features"]} == {None}
        assert (found["red"], found["sentence"][:12]) == (False, "Too few rows")


def test_files_and_names_that_are_wrong_are_refused_with_the_remedy(tmp_path):
    path = write(tmp_path, "a.parquet", pa.table({"x": [1.0], "y": [[1]]}))
    fine = OwnColumns(path)
    with pytest.raises(Invalid, match="leave it out by --features"):
        audit_windows(fine, fine)
    with pytest.raises(Invalid, match="there are x, y"):
        audit_windows(fine, fine, features=["z"])
    with pytest.raises(Invalid, match="there are x, y"):
        audit_windows(fine, fine, methods={"z": "ks"})
    with pytest.raises(NotFound):
        OwnColumns(tmp_path / "none.csv")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(Invalid, match="write it anew"):
        OwnColumns(broken)
    (tmp_path / "wide.csv").write_text("a,a\n1,2\n")
    with pytest.raises(Invalid, match="same name"):
        OwnColumns(tmp_path / "wide.csv")


def test_the_command_prints_one_document(tmp_path):
    paths = [str(write(tmp_path, f"{each}.csv", table(each, 800, moved=each == 2))) for each in (1, 2)]
    arguments = ["audit", "drift", "--reference", paths[0], "--current", paths[1], "--method", "price=wasserstein"]
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["red"] is True
    keys = {"feature", "method", "effect", "threshold", "p_value", "statistical", "material", "red"}
    assert all(keys <= row.keys() for row in found["features"])
    assert {row["method"] for row in found["features"]} == {"psi_deciles", "psi_levels", "wasserstein"}
    plain = CliRunner().invoke(app, arguments)
    assert (plain.exit_code, "RED" in plain.stdout) == (0, True)
    alone = CliRunner().invoke(app, arguments[:4])
    assert isinstance(alone.exception, Invalid)
