"""The installation's secrets: keys and tokens, each in a file of its own that only its owner may read."""

import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from storage.errors import Invalid, Unavailable
from storage.files import wire, write_whole

_KEY_BYTES = 32
_OTHERS = 0o077
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The keys of one installation; ``repr`` shows none of them.

    ``lookup`` hashes raw ids to find a subject's salt, ``commitment`` hides personal data in the ledger, ``chain``
    links the ledger, ``signing`` signs the ledger's anchors.
    """

    lookup: bytes = field(repr=False)
    commitment: bytes = field(repr=False)
    chain: bytes = field(repr=False)
    signing: Ed25519PrivateKey = field(repr=False)

    @classmethod
    def open(cls, home: Path) -> Self:
        """Read the keys below ``home/keys``; make the missing ones, readable by their owner only.

        Raises
        ------
        Unavailable
            If a key cannot be read or made, is damaged, or may be read by others.
        """
        folder = home / "keys"
        return cls(
            lookup=_secret(folder / "lookup.key"),
            commitment=_secret(folder / "commitment.key"),
            chain=_secret(folder / "chain.key"),
            signing=_signing(folder / "signing.pem"),
        )

    @property
    def public_pem(self) -> bytes:
        """The public half of ``signing``: with it anyone can check an anchor."""
        return self.signing.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path) -> bytes:
    with wire(path.name):
        if path.stat().st_mode & _OTHERS:
            raise Unavailable(f"{path.name} may be read by others; run: chmod 600 {path}")
        return path.read_bytes()


def _secret(path: Path) -> bytes:
    if not path.exists():
        write_whole(path, secrets.token_bytes(_KEY_BYTES).hex().encode() + b"\n", replace=False)
    try:
        key = bytes.fromhex(_read(path).decode())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise Unavailable(f"{path.name} is damaged; restore it from the backup")
    return key


def _signing(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        fresh = Ed25519PrivateKey.generate()
        pem = fresh.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_whole(path, pem, replace=False)
    try:
        key = load_pem_private_key(_read(path), password=None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise Unavailable(f"{path.name} is damaged; restore it from the backup")
    return key


def _token_path(home: Path, name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise Invalid("name: a token file is named by lower case letters, digits, - and _")
    return home / "keys" / f"{name}.token"


def read_token(home: Path, name: str) -> str | None:
    """Return the token in ``keys/<name>.token``, or None if there is no such file.

    Raises
    ------
    Unavailable
        If it cannot be read, or may be read by others.
    """
    path = _token_path(home, name)
    return _read(path).decode().strip() if path.exists() else None


def write_token(home: Path, name: str, token: str) -> None:
    """Put a token into ``keys/<name>.token``, readable by its owner only; an older one gives way.

    Raises
    ------
    Full, Unavailable
        As the disk answers.
    """
    write_whole(_token_path(home, name), token.encode() + b"\n", replace=True)
