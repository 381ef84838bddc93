"""Ports for what runs side by side, in benchmarks and end-to-end tests."""

import os
import random
import socket


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on, next to each other: below those that connections are given, and, where tests run
    side by side, none of another worker's."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for _ in range(100):
        first = 20_000 + 1_000 * (worker % 12) + random.randrange(1_000 - count)
        held = [socket.socket() for _ in range(count)]
        try:
            for place, taken in enumerate(held):
                taken.bind(("127.0.0.1", first + place))
        except (OSError, OverflowError):
            continue
        else:
            return list(range(first, first + count))
        finally:
            for taken in held:
                taken.close()
    raise RuntimeError("no free ports")
