"""A bidder with a large file (上传者): one upload after the other, at a steady pace.

`python -m loadtests.uploader`, orders on stdin. The bytes are zeros of a sparse file: what lies in
an upload is nobody's business until its header comes, and here none comes; a complete upload is
given up and the next one begins.
"""

import asyncio
import time
from pathlib import Path
from typing import Any

from crypto.keys import random_bytes
from crypto.sealing import Sealer
from crypto.stream import ciphertext_size
from loadtests.child import obey
from server.demo.people import Bidder
from server.demo.world import World

BODY = 2
PATCH_SIZE = 8 << 20


def upload(**how: Any) -> dict[str, Any]:
    return asyncio.run(_upload(**how))


async def _upload(
    base: str,
    seed: bytes,
    bidders: int,
    number: int,
    room: str,
    size: int,
    directory: str,
    seconds: float,
    bytes_per_s: float,
) -> dict[str, Any]:
    """Uploads until ``seconds`` have passed: bytes, complete uploads, slowest PATCH in s."""
    file = Path(directory) / f"upload-{number}"
    done: dict[str, Any] = {"bytes": 0, "uploads": 0, "slowest_s": 0.0}
    began = time.monotonic()
    async with Bidder(base, World(seed, bidders).bidders[number], room) as bidder:
        await bidder.register()
        uploads = bidder.http.uploads
        while time.monotonic() - began < seconds:
            core, payload_size = _core(bidder, size)
            with file.open("wb") as made:
                made.truncate(payload_size)
            location, offset = await uploads.create(room, core, payload_size), 0
            while offset < payload_size and time.monotonic() - began < seconds:
                started = time.monotonic()
                length = min(PATCH_SIZE, payload_size - offset)
                offset = await uploads.patch(location, file, offset, length)
                done["slowest_s"] = max(done["slowest_s"], time.monotonic() - started)
                done["bytes"] += length
                await asyncio.sleep(
                    max(0.0, began + done["bytes"] / bytes_per_s - time.monotonic())
                )
            done["uploads"] += offset == payload_size
            await uploads.drop(location)
    return done


def _core(bidder: Bidder, size: int) -> tuple[bytes, int]:
    """(the core that announces it, bytes of the payload) for ``size`` bytes of plaintext."""
    assert bidder.rules is not None
    rules, (sign, box) = bidder.rules, bidder.keys()
    terms = rules.terms(BODY, sign.public, box.public)
    suite = terms.suite
    sealer = Sealer(
        terms,
        lot=1,
        pt_len=size,
        created_ms=time.time_ns() // 60_000_000_000 * 60_000,
        bid_nonce=random_bytes(suite.bid_nonce_size),
        seed=random_bytes(suite.seed_size),
        key=sign,
    )
    return sealer.core.core, ciphertext_size(suite, size, terms.log2_chunk)


if __name__ == "__main__":
    obey({"upload": upload})
