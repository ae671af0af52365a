"""Turning members into a bundle file, signed again or as they are (样品打包)."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from crypto.canonical import encode
from crypto.hashes import blake2b_256, blake2b_512, sha256
from tests.verifier.tender_maker import RECEIPT_KEY


def tender_id_of(members: Mapping[str, bytes]) -> str:
    return blake2b_256(members.get("manifest.json", b"")).hex()


def signed(members: Mapping[str, bytes]) -> dict[str, bytes]:
    """With an index over exactly these members, by whoever holds the host's receipt key."""
    content = {name: raw for name, raw in members.items() if not name.startswith("index.")}
    lines = [
        {"name": name, "sha256": sha256(raw).hex(), "size": len(raw)}
        for name, raw in sorted(content.items())
    ]
    index = encode({"format": 1, "members": lines, "tender_id": tender_id_of(content)})
    signature = RECEIPT_KEY.sign(b"KBID1 index\0" + blake2b_512(index))
    return content | {"index.json": index, "index.sig": signature}


def write(members: Mapping[str, bytes], path: Path) -> Path:
    """A zip file of these members, sorted, nothing added."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, raw in sorted(members.items()):
            archive.writestr(zipfile.ZipInfo(name), raw, zipfile.ZIP_DEFLATED)
    return path
