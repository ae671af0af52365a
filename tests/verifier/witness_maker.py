"""Cosignatures of sample witnesses (见证联署) by C2SP tlog-cosignature."""

import base64
from collections.abc import Sequence

from crypto.hashes import sha256
from tests.verifier.tender_maker import signing


def cosigned(checkpoint: bytes, witnesses: Sequence[str], second: int) -> bytes:
    """The checkpoint with one signature line of each witness."""
    body = checkpoint.split(b"\n\n")[0] + b"\n"
    for name in witnesses:
        key, full = signing(name), f"{name}.example/witness"
        signature = key.sign(b"cosignature/v1\ntime %d\n" % second + body)
        identity = sha256(full.encode(), b"\n\x04", key.public)[:4]
        raw = identity + second.to_bytes(8, "big") + signature
        checkpoint += f"— {full} {base64.b64encode(raw).decode()}\n".encode()
    return checkpoint
