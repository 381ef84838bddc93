"""What an engine process is told at its start."""

from dataclasses import dataclass
from pathlib import Path

from storage.passports import Issuer


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineConfig:
    """One engine process.

    Parameters
    ----------
    home
        The folder that holds keys, models, the event log and the last windows.
    replica
        The name of this replica; it names the log file and stands in every receipt and record.
    url
        Where others reach this replica, as the receipt tells them; ``http://host:port`` when empty.
    database_url
        The control database; ``fairlead.db`` in ``home`` when empty.
    redis_url
        The hot store; in memory when empty.
    window_s, keep_s, poll_s, lease_s
        Length of a metric window and how long it can be asked for, pause between two looks at the database, and how
        long a consent read holds.
    report_s
        How long a receipt that was written counts: control waits for a replica for ten seconds after its last one, so
        this is less, and without it nobody is personalized here.
    policy_stale_s
        Without a refreshed revision for so long the replica reports not ready.
    grace_s
        How long a graceful stop waits for requests in flight.
    max_body, header_s, body_s
        Largest body in bytes; how long headers and a body may take to arrive.
    identify_s, plugin_s
        How long a decision waits for the pseudonym of a subject that is not at hand, and for a plugin.
    timed
        Whether this replica tells how long changes took to reach it; on a clock that stands meanwhile it cannot.
    issuer
        The identity provider whose tokens hold beside our own; None for none.
    """

    home: Path
    replica: str = "engine-0"
    host: str = "127.0.0.1"
    port: int = 8010
    url: str = ""
    database_url: str = ""
    redis_url: str = ""
    environment: str = "development"
    window_s: float = 10.0
    keep_s: float = 3_600.0
    poll_s: float = 0.1
    lease_s: float = 2.0
    report_s: float = 8.0
    policy_stale_s: float = 30.0
    grace_s: float = 10.0
    max_body: int = 1 << 20
    header_s: float = 5.0
    body_s: float = 10.0
    identify_s: float = 0.25
    plugin_s: float = 0.04
    timed: bool = True
    issuer: Issuer | None = None

    @property
    def own_url(self) -> str:
        """Where others reach this replica."""
        return self.url or f"http://{self.host}:{self.port}"

    @property
    def control_url(self) -> str:
        """The control database as a URL."""
        return self.database_url or f"sqlite:///{self.home / 'fairlead.db'}"
