"""Figures of an industry: a table is taken whole or not at all, with its ledger entry."""

import pytest

from governance.benchmarks import read_csv
from storage import ledger
from storage.database import Database
from storage.errors import Invalid

from .served import People

HEAD = "metric,industry,value,source,date\n"
TABLE = HEAD + "click_rate,fashion,2.1 %,Report A,2025-01-31\nhit_rate,=cmd(),0.05,Report B,2025-02-01\n"
WHY = "the figures of the yearly report"


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("metric,industry,value\n", "csv", "exactly these columns"),
        (HEAD + "click_rate,fashion,two,A,2025-01-31\n", "line 2", "a ratio such as 0.021"),
        (HEAD + "click_rate,fashion,210 %,A,2025-01-31\n", "line 2", "between 0 and 1"),
        (HEAD + "click_rate,fashion,nan,A,2025-01-31\n", "line 2", "between 0 and 1"),
        (HEAD + "click_rate,fashion,0.1,A,2025-02-31\n", "rows.0.date", "must be a day"),
        (HEAD + "fame,fashion,0.1,A,2025-01-31\n", "rows.0.metric", "must be one of"),
        (HEAD + "click_rate,fashion,0.1,A\n", "line 2", "must have 5 cells"),
        (HEAD + 2 * "click_rate,fashion,0.1,A,2025-01-31\n", "rows.1", "twice"),
        (HEAD + "click_rate,,0.1,A,2025-01-31\n", "line 2", "industry"),
        ("", "csv", "exactly these columns"),
    ],
)
def test_a_wrong_line_is_named_with_its_remedy(text: str, field: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_csv(text)
    assert refused.value.problems[0].field == field
    assert words in refused.value.problems[0].message


def test_every_wrong_line_is_told_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        read_csv(HEAD + "click_rate,a,x,A,2025-01-31\nclick_rate,b,0.1,B,2025-01-31\nclick_rate,c,2,C,2025-01-31\n")
    assert [one.field for one in refused.value.problems] == ["line 2", "line 4"]


def test_a_table_is_put_listed_and_in_the_ledger(people: People, sqlite_database: Database) -> None:
    mary = people("mary", "marketer")
    assert mary.get("/benchmarks").json()["benchmarks"] == []
    assert mary.post("/benchmarks", json={"csv": TABLE, "reason": WHY}).is_success
    rows = mary.get("/benchmarks").json()["benchmarks"]
    assert [(one["industry"], one["value"], one["author"]) for one in rows] == [
        ("fashion", 0.021, "mary"),
        ("=cmd()", 0.05, "mary"),
    ]
    with sqlite_database.read() as read:
        entry = ledger.entries(read, limit=1)[0]
    assert (entry.action, entry.actor, entry.reason) == ("benchmarks.put", "mary", WHY)
    assert mary.post("/benchmarks", json={"csv": TABLE, "reason": WHY}).status_code == 409
    assert mary.post("/benchmarks", json={"csv": HEAD, "reason": WHY}).is_success
    assert mary.get("/benchmarks").json()["benchmarks"] == []


def test_a_wrong_table_changes_nothing_and_others_may_not(people: People) -> None:
    mary, dora = people("mary", "marketer"), people("dora", "data_scientist")
    mary.post("/benchmarks", json={"csv": TABLE, "reason": WHY})
    late = HEAD + "click_rate,fashion,0.1,A,2999-01-31\n"
    refused = mary.post("/benchmarks", json={"csv": late, "reason": WHY})
    assert (refused.status_code, refused.json()["problems"][0]["field"]) == (422, "rows.0.date")
    assert dora.post("/benchmarks", json={"csv": HEAD, "reason": WHY}).status_code == 403
    assert len(dora.get("/benchmarks").json()["benchmarks"]) == 2
