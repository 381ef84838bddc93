"""What a shared hot store still holds under some names: asked when an erasure is verified."""

from collections.abc import Iterable

from storage.errors import Unavailable

PREFIXES = ("fairlead:user:", "fairlead:caps:p:", "fairlead:caps:s:")
TIMEOUT_S = 2.0


def held(url: str, names: Iterable[str]) -> int:
    """Return how many keys of a server of the Redis protocol stand for one of some subjects or sessions.

    Raises
    ------
    Unavailable
        If the server does not answer.
    """
    import redis

    keys = [prefix + name for name in names for prefix in PREFIXES]
    if not keys:
        return 0
    try:
        with redis.Redis.from_url(url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S) as client:
            return int(client.exists(*keys))
    except redis.RedisError as error:
        raise Unavailable("the shared hot store does not answer; what it holds is not known") from error
