"""What a check says when it is asked."""

from governance.checks.check import Finding
from governance.checks.roster import CHECKS
from governance.patrol import Beat, look

from .conftest import NOW

BY_NAME = {check.name: check for check in CHECKS}


def says(beat: Beat, name: str, now: int = NOW) -> Finding:
    return look(beat, BY_NAME[name], now)
