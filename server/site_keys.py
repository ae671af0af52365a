"""The server's own keys (站点密钥): the log key and the host receipt key, as files only the server
can read.

Neither can open a bid. They are made at the first start; losing them ends what they vouch for,
so back them up.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from crypto.keys import SigningKey

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class SiteKeys:
    """``log`` signs checkpoints; ``receipt`` signs ACKs, invitations and index.sig, nothing
    else.
    """

    log: SigningKey
    receipt: SigningKey


def load_site_keys(directory: Path) -> SiteKeys:
    """The keys below ``directory``/keys, made when they are not there."""
    folder = directory / "keys"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return SiteKeys(log=_key(folder / "log.key"), receipt=_key(folder / "receipt.key"))


def _key(path: Path) -> SigningKey:
    if path.exists():
        text = path.read_text(encoding="ascii").strip()
        return SigningKey(bytes.fromhex(text))
    key = SigningKey.generate()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
    with os.fdopen(handle, "w", encoding="ascii") as out:
        out.write(key.seed.hex() + "\n")
        out.flush()
        os.fsync(out.fileno())
    return key
