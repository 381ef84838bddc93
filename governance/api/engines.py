"""Asking an engine about a decision that it made, or a person that it knows; telling it what they said."""

from collections.abc import Mapping
from typing import Any

import httpx

from governance.acknowledgement import REGISTERED_WITHIN
from storage import receipts
from storage.database import Database
from storage.errors import FairleadError, Invalid, NotFound, Unavailable
from storage.records import clock

TIMEOUT_S = 5.0
UNPROCESSABLE = 422


class Engines:
    """The replicas that reported lately, asked one after the other.

    Parameters
    ----------
    database
        Where replicas report their addresses.
    token
        What they are shown.
    client
        How they are reached.
    """

    def __init__(self, database: Database, token: str, client: httpx.Client | None) -> None:
        self._database = database
        self._headers = {"authorization": f"Bearer {token}", "accept": "application/json"}
        self._client = client or httpx.Client(timeout=TIMEOUT_S, trust_env=False)

    def ask(self, path: str, *, first: str | None = None) -> Mapping[str, Any]:
        """Return what an engine answers to GET ``path``; the replica named ``first`` is asked before the others.

        Raises
        ------
        NotFound
            If every engine that answered knows nothing of it.
        Unavailable
            If none answered.
        """
        with self._database.read() as read:
            known = receipts.registered(read, clock.now(), REGISTERED_WITHIN)
        refusal: FairleadError = Unavailable("no engine answers; the decision can be shown from the lake later")
        for receipt in sorted(known, key=lambda receipt: receipt.replica != first):
            try:
                answer = self._client.get(receipt.url.rstrip("/") + path, headers=self._headers)
            except httpx.HTTPError:
                continue
            if answer.is_success:
                found: Mapping[str, Any] = answer.json()
                return found
            if answer.status_code == 404:
                refusal = NotFound("no such decision, or its record is no longer kept")
        raise refusal

    def tell(self, path: str, document: Mapping[str, Any]) -> None:
        """Send a document to the first engine that takes it.

        Raises
        ------
        Invalid
            If an engine refuses it.
        Unavailable
            If none answered.
        """
        if self._posted(path, document).status_code == UNPROCESSABLE:
            raise Invalid("the engine did not take this; it is entered here all the same")

    def send(self, path: str, document: Mapping[str, Any]) -> Mapping[str, Any]:
        """Send a document to the first engine that takes it, and return what it says of each part.

        Raises
        ------
        Unavailable
            If none answered.
        """
        said: Mapping[str, Any] = self._posted(path, document).json()
        return said

    def _posted(self, path: str, document: Mapping[str, Any]) -> httpx.Response:
        """Return the first answer that is more than a failure of the engine that was asked."""
        with self._database.read() as read:
            known = receipts.registered(read, clock.now(), REGISTERED_WITHIN)
        for receipt in known:
            try:
                answer = self._client.post(receipt.url.rstrip("/") + path, headers=self._headers, json=document)
            except httpx.HTTPError:
                continue
            if answer.is_success or answer.status_code == UNPROCESSABLE:
                return answer
        raise Unavailable("no engine takes this right now; try again in a moment")
