"""Is there room on the disk that holds the home folder."""

import shutil

from governance.checks.check import Check, Finding, Ground
from storage.records.findings import Verdict

GIB = 1 << 30
LOW, FULL = 0.1, 0.03


def look(ground: Ground) -> Finding:
    """Ask the file system; below 3 % or 512 MiB writes will soon be refused."""
    disk = shutil.disk_usage(ground.home)
    free = disk.free / disk.total
    verdict: Verdict = "fail" if free < FULL or disk.free < GIB / 2 else "warn" if free < LOW else "pass"
    remedy = "" if verdict == "pass" else " Free some space, or lower the retention."
    return Finding(
        verdict=verdict,
        sentence=f"{disk.free / GIB:.1f} GiB are free, {free:.0%} of the disk.{remedy}",
        figures={"free": disk.free, "total": disk.total},
    )


CHECK = Check(name="disk", title="Disk", question="Is there room for what comes in?", look=look)
