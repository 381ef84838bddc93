"""What the ledger and the state of control hold, read past the product."""

import sqlite3

from storage.database import Database


class Counter:
    """Counts the ledger and what state changed, so that each command can be held to its entry."""

    def __init__(self, database: Database) -> None:
        self._path = str(database.url.database)

    def entries(self) -> int:
        with sqlite3.connect(self._path) as connection:
            return int(connection.execute("SELECT count(*) FROM ledger").fetchone()[0])

    def state(self) -> str:
        with sqlite3.connect(self._path) as connection:
            tables = [
                "sensitive_attributes", "fairness_plans",
                "consent_changes", "tokens", "settings", "policies", "policy_versions", "campaigns",
                "rules", "caps", "changes", "jobs", "toggles", "emergencies",
            ]  # fmt: skip
            return "\n".join(str(connection.execute(f"SELECT * FROM {table}").fetchall()) for table in tables)
