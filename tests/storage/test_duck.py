"""DuckDB within the memory that its process may take."""

import subprocess
import sys
from pathlib import Path

HUNGRY = """
import resource, sys
from pathlib import Path
from storage.duck import opened
resource.setrlimit(resource.RLIMIT_DATA, (640 << 20, 640 << 20))
with opened(Path(sys.argv[1])) as connection:
    rows = "SELECT hash(range) AS a, repeat('x', 100) || range AS b FROM range(4_000_000)"
    told = f"SELECT count(*), max(n) FROM (SELECT b, count(*) AS n FROM ({rows}) GROUP BY b, a)"
    print(*connection.execute(told).fetchone())
"""


def test_what_does_not_fit_is_spilled_where_a_process_may_take_little(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", HUNGRY, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    assert done.stdout.split() == ["4000000", "1"]
