"""Churn on UCI Online Retail: no purchase in 60 days is told better than by when one was last seen."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fairlead.cli import app
from scoring_core.learning.retail import read_retail
from scoring_core.learning.retail_people import acts_of, measured
from storage.errors import Invalid, NotFound

SHARED = Path(os.environ.get("FAIRLEAD_SHARED_DATA", Path(__file__).parents[3].parent / "shared" / "data"))
DATA = SHARED / "online_retail" / "online_retail.parquet"


@pytest.fixture(scope="module")
def acts():
    if not DATA.exists():
        pytest.skip(f"the shared data is not here: {DATA}; set FAIRLEAD_SHARED_DATA")
    return acts_of(read_retail(DATA))


def test_churn_is_told_better_than_by_recency(acts):
    assert len(acts) == 397_884
    found = measured("churn", acts, seed=1, say=lambda _text: None)
    recency = found["rules"]["last seen"]
    assert found["metric"] == "AUC"
    assert recency["difference_low"] > 0.0
    assert recency["model"] > recency["rival_value"]
    assert found["cuts"]["horizon_days"] == 60.0
    assert max(found["cuts"]["fit"]) < found["cuts"]["calibrate"] < found["cuts"]["held_out"]


def test_what_is_not_the_data_set_is_refused(tmp_path):
    other = tmp_path / "other.parquet"
    other.write_bytes(b"PAR1")
    for path, error in ((tmp_path / "none", NotFound), (other, Invalid)):
        result = CliRunner().invoke(app, ["bench", "churn", "--data", str(path)])
        assert isinstance(result.exception, error)
