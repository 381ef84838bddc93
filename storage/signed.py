"""Documents signed with the installation's key: whoever has the public half alone can check them."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from storage.keys import Keys
from storage.records.document import canonical

SIGNATURE, KEY = "signature", "key"


def fingerprint(public_pem: bytes) -> str:
    """Return 16 hex digits that name a public key."""
    return sha256(public_pem.strip()).hexdigest()[:16]


def sign(document: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """Return a plain JSON document with the name of the key and an Ed25519 signature (RFC 8032) over the canonical
    JSON of everything else."""
    whole = {**document, KEY: fingerprint(keys.public_pem)}
    return {**whole, SIGNATURE: keys.signing.sign(canonical(whole)).hex()}


def verified(signed: Mapping[str, Any], public_pem: bytes) -> bool:
    """Tell whether a document was signed by the holder of a key and is unchanged since."""
    public = load_pem_public_key(public_pem)
    if not isinstance(public, Ed25519PublicKey):
        return False
    rest = {name: value for name, value in signed.items() if name != SIGNATURE}
    try:
        public.verify(bytes.fromhex(str(signed.get(SIGNATURE, ""))), canonical(rest))
    except (InvalidSignature, ValueError):
        return False
    return True
