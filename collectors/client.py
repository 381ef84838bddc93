"""Asking a replica over HTTP: one deadline for the whole answer, a cap on its size, no redirects."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

from storage.scrapes import ScrapeResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no answer to work with."""

    result: ScrapeResult
    detail: str


class Client:
    """Asks replicas; every refusal is a value.

    Parameters
    ----------
    token
        The bearer token of the collector.
    connect_s, total_s
        How long connecting and the whole exchange may take: a peer that drips one byte a second cannot stretch it.
    most_bytes
        How long a body may be; the rest is never read.
    """

    def __init__(self, token: str, *, connect_s: float = 1.0, total_s: float = 5.0, most_bytes: int = 5 << 20) -> None:
        self._headers = {"authorization": f"Bearer {token}", "accept-encoding": "identity"}
        self._timeout = httpx.Timeout(total_s, connect=connect_s)
        self._total_s, self._most_bytes = total_s, most_bytes
        self._trust = httpx.create_ssl_context(trust_env=False)  # once: reading the roots takes longer than asking

    def get(self, url: str, *, params: Mapping[str, str | int], accept: str) -> bytes | Failure:
        """Return the body of a 200, or what went wrong."""
        try:
            return asyncio.run(self._get(url, params, accept))
        except TimeoutError:
            return Failure(result="timeout", detail=f"no whole answer within {self._total_s:g} s")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            timed_out = isinstance(error, httpx.TimeoutException)
            return Failure(result="timeout" if timed_out else "http", detail=type(error).__name__)

    async def _get(self, url: str, params: Mapping[str, str | int], accept: str) -> bytes | Failure:
        async with (
            asyncio.timeout(self._total_s),
            httpx.AsyncClient(
                timeout=self._timeout, follow_redirects=False, trust_env=False, verify=self._trust
            ) as client,
            client.stream("GET", url, params=params, headers={**self._headers, "accept": accept}) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                return Failure(result="http", detail=f"status {answer.status_code}")
            body = bytearray()
            async for chunk in answer.aiter_raw():
                body += chunk
                if len(body) > self._most_bytes:
                    return Failure(result="too_large", detail=f"more than {self._most_bytes} bytes")
            return bytes(body)
