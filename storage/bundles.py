"""Evidence bundles: a ZIP of files, a signed manifest of their digests, the public key, and the script that checks."""

import zipfile
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from storage import verifier
from storage.files import wire
from storage.keys import Keys
from storage.records.document import canonical
from storage.signed import sign
from storage.verifier import MANIFEST

README = """Check this bundle: python verify.py BUNDLE.zip public.pem   (needs the package cryptography)

Take public.pem from the installation itself (fairlead ledger key), not from here: whoever forges a bundle can put
their own key into it. manifest.json says what the bundle holds, by which filters, made when and by which version.
"""


def bundle(path: Path, keys: Keys, *, about: Mapping[str, Any], files: Mapping[str, Iterable[bytes]]) -> None:
    """Write a bundle.

    Parameters
    ----------
    path
        The ZIP file; an older one gives way.
    about
        What the manifest says beside the digests: ``kind``, ``made_at``, filters, versions; no fractions, whose JSON
        differs between readers.
    files
        The content by name, in pieces, read once.

    Raises
    ------
    Full, Unavailable
        As the disk answers.
    """
    own = {
        "public.pem": (keys.public_pem,),
        "verify.py": (Path(verifier.__file__).read_bytes(),),
        "README.txt": (README.encode(),),
    }
    digests: dict[str, str] = {}
    with wire(path.name), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, pieces in {**files, **own}.items():
            digest = sha256()
            with archive.open(name, "w") as file:
                for piece in pieces:
                    digest.update(piece)
                    file.write(piece)
            digests[name] = digest.hexdigest()
        archive.writestr(MANIFEST, canonical(sign({**about, "files": digests}, keys)))
