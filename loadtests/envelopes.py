"""Large sealed envelopes for `decrypt` (大文件密封): made as a bidder's machine makes them.

Each file has its own key. The plaintext is one random MiB with the chunk's number in it: random
enough for every cipher and hash, and made without gigabytes of randomness.
"""

import subprocess
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crypto.header import Header, parse_header
from crypto.keys import BoxKey, SigningKey, random_bytes
from crypto.manifest import Manifest, parse_manifest
from crypto.sealing import Sealer, content_key
from crypto.shares import open_share
from loadtests.machine import cpus
from server.demo.world import TenderPlan, World, build_manifest

CHUNK = 1 << 20
BODY = 2
PLACES = (1, 2)  # whose shares there are; t = 2
SEED = bytes(32)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One file and what opens it."""

    path: Path
    header_raw: bytes
    bidder_half: bytes
    host_half: bytes
    shares: dict[int, bytes]

    @property
    def header(self) -> Header:
        return parse_header(self.header_raw)

    @property
    def handed_over(self) -> dict[str, Any]:
        """What the server's pool is given."""
        return {
            "path": str(self.path),
            "header": self.header_raw,
            "half": self.bidder_half,
            "shares": self.shares,
        }

    @property
    def opened_up(self) -> dict[str, Any]:
        """What a bare loop is given: the content key itself."""
        key = content_key(self.header, self.bidder_half, self.host_half)
        assert key is not None
        return {"path": str(self.path), "K": key.K, "pt_len": self.header.pt_len, "chunk": CHUNK}


def seal_files(folder: Path, count: int, size: int) -> list[Envelope]:
    """``count`` envelopes of ``size`` plaintext bytes each, in as many processes as cores."""
    jobs = [(folder / f"body-{number}.kbc", size) for number in range(count)]
    with ProcessPoolExecutor(cpus()) as pool:
        return list(pool.map(_seal, jobs))


def plaintext_chunks(size: int) -> Any:
    """The chunks of one plaintext; each must be used before the next is asked for."""
    block = bytearray(random_bytes(CHUNK))
    for at in range(0, size, CHUNK):
        block[:8] = at.to_bytes(8, "big")
        yield memoryview(block)[: min(CHUNK, size - at)]


def _rules(world: World) -> Manifest:
    plan = TenderPlan(number="decrypt", title="负载测试", deadline_ms=1_800_000_000_000)
    raw, _ = build_manifest(
        world,
        plan,
        receipt_pk=SigningKey(b"r" * 32).public,
        log_origin="load.example/kaibiao/log",
        log_pk=SigningKey(b"l" * 32).public,
    )
    return parse_manifest(raw)


def _seal(job: tuple[Path, int]) -> Envelope:
    path, size = job
    world = World(SEED, 0)
    sign, box = SigningKey.generate(), BoxKey(random_bytes(32))
    terms = _rules(world).terms(BODY, sign.public, box.public)
    sealer = Sealer(
        terms,
        lot=1,
        pt_len=size,
        created_ms=1_790_000_040_000,
        bid_nonce=random_bytes(terms.suite.bid_nonce_size),
        seed=random_bytes(terms.suite.seed_size),
        key=sign,
    )
    with path.open("wb") as file:
        for chunk in plaintext_chunks(size):
            file.write(sealer.seal_chunk(chunk))
    header = sealer.finish()
    shares = {i: open_share(header, i, world.trustees[i - 1].box)[1] for i in PLACES}
    return Envelope(path, header.raw, sealer.bidder_half, sealer.host_half, shares)


class Age:
    """The peer `age`: its own files of the same sizes, and how to decrypt one of them."""

    def __init__(self, folder: Path, program: str) -> None:
        self._folder = folder
        self._program = program
        made = subprocess.run(
            [f"{program}-keygen"], capture_output=True, text=True, check=True
        ).stdout
        self._key = folder / "age.key"
        self._key.write_text(made)
        self._recipient = made.split("public key: ")[1].split()[0]
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
        self.version = said.stdout.strip()

    def encrypt(self, count: int, size: int) -> list[Path]:
        paths = [self._folder / f"body-{number}.age" for number in range(count)]
        for path in paths:
            command = [self._program, "-r", self._recipient, "-o", str(path)]
            with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
                assert process.stdin is not None
                for chunk in plaintext_chunks(size):
                    process.stdin.write(chunk)
            assert process.returncode == 0
        return paths

    def decrypt(self, path: Path) -> None:
        """One process, plaintext discarded."""
        command = [self._program, "-d", "-i", str(self._key), "-o", "/dev/null", str(path)]
        subprocess.run(command, check=True)
