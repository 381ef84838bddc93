"""Every store of impression counts, as a law asks for it."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.laws.caps.stands import Stand, stand


@pytest.fixture(params=["memory", "redis"])
def run(request: pytest.FixtureRequest, redis_url: str) -> Callable[[Callable[[Stand], Awaitable[None]]], None]:
    def running(scenario: Callable[[Stand], Awaitable[None]]) -> None:
        async def main() -> None:
            made = stand(request.param, redis_url)
            try:
                await scenario(made)
            finally:
                await made.store.close()
                await made.other.close()

        asyncio.run(main())

    return running
