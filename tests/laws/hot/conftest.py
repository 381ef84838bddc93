"""Every hot store, as a law asks for it."""

import pytest

from tests.laws.hot.stores import MEMBERS, Make


@pytest.fixture(params=sorted(MEMBERS))
def make(request: pytest.FixtureRequest, redis_url: str) -> Make:
    return lambda: MEMBERS[request.param](redis_url)
