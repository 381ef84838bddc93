"""Check an evidence bundle with the installation's public key alone: ``python verify.py BUNDLE.zip public.pem``.

Every bundle holds this very file as ``verify.py``. It needs Python and the package ``cryptography``, nothing of
Fairlead, no database and no secret.
"""

import json
import sys
import zipfile
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

GENESIS = "0" * 64
"""The digest before the first entry."""
MANIFEST, ENTRIES, ANCHORS = "manifest.json", "entries.jsonl", "anchors.jsonl"
MOST_BYTES = 2 << 30


class Refuted(Exception):
    """The bundle does not show what it says; ``first_bad`` is the first entry that may be wrong."""

    def __init__(self, reason: str, first_bad: int | None = None) -> None:
        super().__init__(reason)
        self.first_bad = first_bad


def leaf(link: str, body: bytes) -> str:
    """Return what an entry adds to the public chain: a digest of its keyed hash and its canonical JSON.

    A bundle may show this digest in the entry's place: the chain still holds, and nothing is told of the entry.
    """
    return sha256(link.encode() + b"\n" + body).hexdigest()


def climb(digest: str, added: str) -> str:
    """Return the public chain's digest after one more entry (a hash chain: Schneier and Kelsey, 1999).

    >>> climb(GENESIS, leaf("a", b"{}")) == climb(GENESIS, leaf("a", b"[]"))
    False
    """
    return sha256(f"{digest}\n{added}".encode()).hexdigest()


def signed(document: Mapping[str, Any], public: Ed25519PublicKey) -> bool:
    """Tell whether the key's holder signed a document: Ed25519 (RFC 8032) over the canonical JSON of all else."""
    rest = {name: value for name, value in document.items() if name != "signature"}
    plain = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    try:
        public.verify(bytes.fromhex(str(document.get("signature", ""))), plain)
    except (InvalidSignature, ValueError):
        return False
    return True


def judge(files: Mapping[str, bytes], public_pem: bytes) -> dict[str, Any]:
    """Say whether a bundle's files are what the installation signed, and its ledger entries whole.

    Returns
    -------
    dict
        ``ok``, ``reason``, ``kind``, ``made_at``, ``files``, and of a ledger ``entries`` (in the chain), ``shown`` (in
        plain text), ``first``, ``last``, ``anchored_to`` (confirmed by a signed anchor), ``first_bad``.
    """
    found: dict[str, Any] = {"ok": False, "reason": "", "first_bad": None}
    try:
        public = load_pem_public_key(public_pem)
        if not isinstance(public, Ed25519PublicKey):
            raise Refuted("the key is no Ed25519 public key")
        manifest = _document(files, MANIFEST)
        if not signed(manifest, public):
            raise Refuted("the manifest was changed, or signed by another installation")
        found |= {"kind": manifest["kind"], "made_at": manifest["made_at"], "files": len(manifest["files"])}
        if "chain" in manifest:
            found |= _chain(files, manifest["chain"], public)
        for name, digest in manifest["files"].items():
            if name not in files:
                raise Refuted(f"{name} is missing")
            if sha256(files[name]).hexdigest() != digest:
                raise Refuted(f"{name} was changed")
        added = sorted(set(files) - set(manifest["files"]) - {MANIFEST})
        if added:
            raise Refuted(f"{len(added)} files were added")
    except Refuted as error:
        return found | {"reason": str(error), "first_bad": error.first_bad}
    except (KeyError, TypeError, ValueError, AttributeError):
        return found | {"reason": "this is no evidence bundle, or it is damaged"}
    return found | {"ok": True, "reason": "whole"}


def _document(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    if name not in files:
        raise Refuted(f"{name} is missing")
    document = json.loads(files[name])
    if not isinstance(document, dict):
        raise Refuted(f"{name} is damaged")
    return document


def _lines(files: Mapping[str, bytes], name: str) -> Iterator[dict[str, Any]]:
    for line in files.get(name, b"").splitlines():
        yield json.loads(line)


def _anchors(files: Mapping[str, bytes], public: Ed25519PublicKey) -> dict[int, str]:
    anchors: dict[int, str] = {}
    for number, anchor in enumerate(_lines(files, ANCHORS), start=1):
        if not signed(anchor, public):
            raise Refuted(f"anchor {number} was changed, or signed by another installation")
        anchors[int(anchor["seq"])] = str(anchor["digest"])
    return anchors


def _chain(files: Mapping[str, bytes], chain: Mapping[str, Any], public: Ed25519PublicKey) -> dict[str, Any]:
    """Walk from where the chain starts to its end; every anchor between must agree."""
    anchors = _anchors(files, public)
    seq, digest = int(chain["start"]["seq"]), str(chain["start"]["digest"])
    if digest != (anchors.get(seq) if seq else GENESIS):
        raise Refuted("the chain starts at no anchor")
    anchored, shown, first, previous = seq, 0, seq + 1, None
    for row in _lines(files, ENTRIES):
        if row.get("seq") != seq + 1:
            raise Refuted(f"entry {seq + 1} is missing, or not in its place", seq + 1)
        seq += 1
        if "body" in row:
            if json.loads(row["body"])["seq"] != seq or previous not in {None, row["previous"]}:
                raise Refuted(f"entry {seq} was put where another stood", seq)
            shown += 1
            added = leaf(row["hash"], row["body"].encode())
        else:
            added = str(row["leaf"])
        previous = row.get("hash")
        digest = climb(digest, added)
        if anchors.get(seq, digest) != digest:
            raise Refuted(f"entries {anchored + 1} to {seq} contradict the signed anchor", anchored + 1)
        anchored = seq if seq in anchors else anchored
    if (seq, digest) != (chain["end"]["seq"], chain["end"]["digest"]):
        raise Refuted(f"entries {anchored + 1} to {chain['end']['seq']} are not those that were signed", anchored + 1)
    return {"entries": seq - first + 1, "shown": shown, "first": first, "last": seq, "anchored_to": anchored}


def read(bundle: Path) -> dict[str, bytes]:
    """Return a bundle's files by name.

    Raises
    ------
    ValueError
        If it is no ZIP file, or larger than anyone would sign.
    """
    try:
        with zipfile.ZipFile(bundle) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_BYTES:
                raise ValueError("the bundle is larger than 2 GiB")
            return {name: archive.read(name) for name in archive.namelist()}
    except zipfile.BadZipFile:
        raise ValueError("this is no ZIP file") from None


def main(arguments: list[str]) -> int:
    """Print the judgement as JSON; 0 if the bundle is whole, 6 if not, 2 if it cannot be read."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python verify.py BUNDLE.zip public.pem\n")
        return 2
    try:
        found = judge(read(Path(arguments[0])), Path(arguments[1]).read_bytes())
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    return 0 if found["ok"] else 6


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
