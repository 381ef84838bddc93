"""Figures of an industry: one table, replaced whole, on both databases."""

import pytest

from storage import benchmarks
from storage.database import Database
from storage.errors import FairleadError
from storage.records.benchmarks import Benchmark

FASHION = Benchmark(metric="click_rate", industry="fashion", value=0.021, source="Report A", date="2026-01-31")
SHOES = Benchmark(metric="click_rate", industry="shoes", value=0.03, source="Report A", date="2026-01-31")


def test_a_table_replaces_the_one_before(database: Database) -> None:
    with database.write() as write:
        benchmarks.replace_all(write, [SHOES, FASHION], author="anna", at=5)
    with database.read() as read:
        assert [one.benchmark for one in benchmarks.listed(read)] == [FASHION, SHOES]
        assert {(one.author, one.added_at) for one in benchmarks.listed(read)} == {("anna", 5)}
    with database.write() as write:
        benchmarks.replace_all(write, [SHOES], author="bert", at=6)
    with database.read() as read:
        assert [(one.benchmark, one.author) for one in benchmarks.listed(read)] == [(SHOES, "bert")]


def test_what_cannot_be_kept_leaves_the_table_as_it_was(database: Database) -> None:
    with database.write() as write:
        benchmarks.replace_all(write, [FASHION], author="anna", at=5)
    with pytest.raises(FairleadError), database.write() as write:
        benchmarks.replace_all(write, [SHOES, SHOES], author="bert", at=6)
    with database.read() as read:
        assert [one.benchmark for one in benchmarks.listed(read)] == [FASHION]
