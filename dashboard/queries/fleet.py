"""What is known of each replica beside its own report: the version that it runs, and how far its clock is off."""

from collections.abc import Mapping
from dataclasses import dataclass

from storage import scrapes, series
from storage.database import Read
from storage.records.clock import MINUTE
from storage.scrapes import Scrape

BUILD = "fairlead_build_info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """``skew_us`` is the replica's clock minus the collector's; None where it was never read."""

    version: str = ""
    skew_us: int | None = None


def asked(read: Read) -> Mapping[tuple[str, str], Scrape]:
    """Return the collector's latest attempt by replica and what it asked for."""
    return scrapes.scrapes(read)


def known(read: Read, *, now: int) -> Mapping[str, Known]:
    """Return what the collector knows of each replica that it asked."""
    versions = {
        step.labels["replica"]: step.labels.get("version", "")
        for step in series.latest(read, BUILD, now=now, within_us=2 * MINUTE)
    }
    skews = {replica: one.skew_us for (replica, what), one in scrapes.scrapes(read).items() if what == "metrics"}
    return {
        replica: Known(version=versions.get(replica, ""), skew_us=skews.get(replica))
        for replica in versions.keys() | skews.keys()
    }
