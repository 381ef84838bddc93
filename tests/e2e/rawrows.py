"""What a copy wrote down, raw, in DuckDB: journal, metric windows, consent; and the rules of DESIGN §4 spelled anew."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import httpx

CELL = 900_000_000

RECORDS = """
CREATE TABLE decision AS
SELECT record ->> 'decision_id' AS id, (record ->> 'at')::BIGINT AS made, record ->> 'replica' AS replica,
       coalesce(record ->> 'campaign', '') AS campaign, record ->> 'subject' AS subject,
       record ->> 'served_by' AS served_by, record ->> 'origin' AS origin, (record -> 'items')::VARCHAR[] AS items,
       (record -> 'positions')::BIGINT[] AS positions, 1000000 * (record ->> 'join_window_s')::BIGINT AS patience,
       (record ->> 'assume_impression')::BOOLEAN AS assumed, (record ->> 'version')::INTEGER AS version,
       (record ->> 'bucket')::DOUBLE AS bucket, (record ->> 'revision')::BIGINT AS revision,
       record ->> 'reason' AS reason, record ->> 'policy' AS policy, (record ->> 'slots')::INTEGER AS slots,
       (record ->> 'confidence')::DOUBLE AS confidence, record -> 'context' AS context, record -> 'consent' AS consent
FROM journal WHERE kind = 'decision';
CREATE TABLE event AS
SELECT record ->> 'event_id' AS id, record ->> 'type' AS type, (record ->> 'at')::BIGINT AS happened,
       record ->> 'decision_id' AS decision, record ->> 'item' AS item, record ->> 'origin' AS origin,
       record ->> 'subject' AS subject, record ->> 'stored' AS stored, record ->> 'campaign' AS campaign
FROM journal WHERE kind = 'event';

-- One row for each item that a decision served: when it was first seen (a report up to seven days after counts), and
-- whether a click followed within the decision's patience. Whatever a simulated event touches is simulated.
CREATE TABLE served AS
SELECT d.*, n.n AS slot, items[n.n] AS item, coalesce(positions[n.n], n.n) AS place,
       CASE WHEN EXISTS (FROM event e WHERE e.decision = d.id AND e.origin = 'simulated') THEN 'simulated'
            ELSE d.origin END AS mark
FROM decision d, range(1, 100) n(n) WHERE n.n <= len(items);
CREATE TABLE slot AS
SELECT s.*, least(CASE WHEN assumed THEN made END, (
         SELECT min(happened) FROM event e WHERE e.decision = s.id AND e.item = s.item AND e.type = 'impression'
         AND e.happened - s.made <= 604800000000)) AS seen
FROM served s;
CREATE TABLE impression AS
SELECT s.*, (SELECT min(happened) FROM event e WHERE e.decision = s.id AND e.item = s.item AND e.type = 'click'
             AND e.happened >= s.seen AND e.happened - s.seen <= s.patience) AS clicked
FROM slot s WHERE seen IS NOT NULL;
CREATE TABLE marked AS
SELECT d.*, coalesce((SELECT any_value(mark) FROM served s WHERE s.id = d.id), origin) AS mark FROM decision d;

CREATE MACRO quarter(t) AS t - t % 900000000;
CREATE MACRO wilson_low(k, n) AS CASE WHEN n = 0 THEN 0 ELSE greatest(0, (k / n + 1.959963984540054 ** 2 / (2 * n)
  - 1.959963984540054 * sqrt(k / n * (1 - k / n) / n + 1.959963984540054 ** 2 / (4 * n * n)))
  / (1 + 1.959963984540054 ** 2 / n)) END;
CREATE MACRO wilson_high(k, n) AS CASE WHEN n = 0 THEN 1 ELSE least(1, (k / n + 1.959963984540054 ** 2 / (2 * n)
  + 1.959963984540054 * sqrt(k / n * (1 - k / n) / n + 1.959963984540054 ** 2 / (4 * n * n)))
  / (1 + 1.959963984540054 ** 2 / n)) END;
"""

WINDOWS = """
CREATE TABLE observed AS
SELECT w ->> 'replica' AS replica, w ->> 'boot_id' AS boot, (w ->> 'seq')::BIGINT AS seq,
       (w ->> 'start')::BIGINT AS start, (w ->> 'end')::BIGINT AS "end", (w ->> 'monotonic_us')::BIGINT AS covered, w
FROM told;
CREATE TABLE counter AS
SELECT replica, start, c ->> 'name' AS name, c -> 'labels' AS labels, (c ->> 'value')::DOUBLE AS gained
FROM (SELECT replica, start, unnest((w -> 'counters')::JSON[]) AS c FROM observed);
CREATE TABLE spread AS
SELECT replica, start, h ->> 'name' AS name, h -> 'labels' AS labels, (h -> 'edges')::DOUBLE[] AS edges,
       (h -> 'counts')::BIGINT[] AS counts
FROM (SELECT replica, start, unnest((w -> 'histograms')::JSON[]) AS h FROM observed);
"""


def get(engine: int, token: str, path: str, **params: Any) -> httpx.Response:
    """Ask an engine."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(f"http://127.0.0.1:{engine}{path}", params=params, headers=headers, timeout=30.0)
    assert answer.status_code == 200, answer.text
    return answer


def journal(engine: int, token: str) -> list[dict[str, Any]]:
    """Every entry of the journal, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["seq"] if found else 0
        page = get(engine, token, "/v1/journal", after=after, limit=2_000).json()["entries"]
        if not page:
            return found
        found += page


def windows(engine: int, token: str) -> list[dict[str, Any]]:
    """Every closed window of metrics that the engine still has."""
    found: list[dict[str, Any]] = get(engine, token, "/v1/metrics/windows").json()["windows"]
    return found


SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def exposed(engine: int, token: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of /metrics."""
    text = get(engine, token, "/metrics").text
    return {
        (name, frozenset(LABEL.findall(labels or ""))): float(value) for name, labels, value in SAMPLE.findall(text)
    }


def load(
    folder: Path, *, entries: list[dict[str, Any]], told: list[dict[str, Any]], home: Path
) -> duckdb.DuckDBPyConnection:
    """Put all raw rows into DuckDB; no part of the product takes part."""
    connection = duckdb.connect()
    columns = "{'seq': 'BIGINT', 'kind': 'VARCHAR', 'at': 'BIGINT', 'record': 'JSON'}"
    (folder / "journal.json").write_text("\n".join(json.dumps(entry) for entry in entries))
    connection.execute(
        f"CREATE TABLE journal AS FROM read_json(?, format = 'newline_delimited', columns = {columns})",
        [str(folder / "journal.json")],
    )
    connection.execute("CREATE TABLE told (w JSON)")
    connection.executemany("INSERT INTO told VALUES (?)", [[json.dumps(one)] for one in told])
    columns_of_consent = "epoch BIGINT, subject VARCHAR, purpose VARCHAR, state VARCHAR, source VARCHAR, said BIGINT"
    connection.execute(f"CREATE TABLE consent ({columns_of_consent})")
    with closing(sqlite3.connect(f"file:{home / 'fairlead.db'}?mode=ro", uri=True)) as control:
        rows = control.execute("SELECT epoch, subject, purpose, state, source, at FROM consent_changes").fetchall()
    connection.executemany("INSERT INTO consent VALUES (?, ?, ?, ?, ?, ?)", rows)
    connection.execute(RECORDS)
    connection.execute(WINDOWS)
    return connection
