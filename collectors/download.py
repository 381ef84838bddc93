"""A document over HTTP, into a file: one deadline for all of it, a cap on its size, no redirects."""

import asyncio
import ipaddress
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from storage.errors import Invalid, Unavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What the sender says of the document. ``fresh`` is false where it did not change since it was last asked."""

    fresh: bool
    media: str = ""
    etag: str = ""
    modified: str = ""


def fetch(
    url: str,
    into: Path,
    *,
    headers: Mapping[str, str],
    etag: str = "",
    modified: str = "",
    timeout_s: float,
    most_bytes: int,
) -> Fetched:
    """Fetch a document, unless it is still what ``etag`` or ``modified`` say.

    Raises
    ------
    Invalid, Unavailable
        If the address is none or not allowed, or the peer answers late, too much, or anything but the document.
    """
    asked = {**headers, **({"if-none-match": etag} if etag else {})}
    if modified and not etag:
        asked["if-modified-since"] = modified
    try:
        return asyncio.run(_fetch(url, into, asked, timeout_s, most_bytes))
    except (TimeoutError, httpx.TimeoutException):
        raise Unavailable(f"the source sent no whole answer within {timeout_s:g} s; raise timeout_s") from None
    except (httpx.InvalidURL, httpx.UnsupportedProtocol):
        raise Invalid("location: is no http or https address") from None
    except httpx.HTTPError as error:
        raise Unavailable(f"the source does not answer ({type(error).__name__}); is the address right?") from None


async def _fetch(url: str, into: Path, headers: Mapping[str, str], timeout_s: float, most_bytes: int) -> Fetched:
    async with (
        asyncio.timeout(timeout_s),
        httpx.AsyncClient(timeout=timeout_s, follow_redirects=False, trust_env=False) as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        _refuse_inner(answer)
        told = {
            "etag": answer.headers.get("etag", "")[:500],
            "modified": answer.headers.get("last-modified", "")[:100],
        }
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return Fetched(fresh=False, **told)
        if answer.status_code != httpx.codes.OK:
            raise Unavailable(f"the source answers with status {answer.status_code}, not with the document")
        size = 0
        with into.open("wb") as file:
            async for chunk in answer.aiter_bytes():
                size += len(chunk)
                if size > most_bytes:
                    raise Invalid(f"the document is larger than {most_bytes >> 20} MB; raise most_mb")
                file.write(chunk)
        return Fetched(fresh=True, media=answer.headers.get("content-type", ""), **told)


def _refuse_inner(answer: httpx.Response) -> None:
    """Refuse what a machine tells itself alone: link-local addresses are where clouds keep their secrets."""
    stream: Any = answer.extensions.get("network_stream")
    peer = None if stream is None else stream.get_extra_info("server_addr")
    with suppress(ValueError, TypeError, IndexError):
        if peer is not None and ipaddress.ip_address(str(peer[0]).partition("%")[0]).is_link_local:
            raise Unavailable("the source lies at a link-local address, which no catalogue is read from")
