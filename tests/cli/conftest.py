"""One tender as files, and a bidder's key for it, made by the program itself."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crypto.card import parse_card
from crypto.header import Header, parse_header
from crypto.keys import SigningKey
from crypto.manifest import Manifest, parse_manifest
from crypto.shares import find_host_half, open_share
from server.demo.world import TenderPlan, World, build_manifest
from tests.cli.program import Nursery, Ran, run

BODY_MAX = 8 << 20
PASSPHRASE = "开标 at nine"
FORM: dict[str, Any] = {
    "bidder": {"code": "91360800MA00000044", "name": "澄江路桥建设（江州）有限公司"},
    "fields": {"price": "71000000.00", "days": 160, "manager": "何川"},
}


@dataclass(frozen=True, slots=True)
class Tender:
    """What a bidder's offline machine has: the published files, its key, its passphrase."""

    folder: Path
    world: World
    rules: Manifest

    def path(self, name: str) -> Path:
        return self.folder / name

    def halves(self, header: Header, card: str) -> tuple[str, str]:
        """s_B from the unlock card and s_H from two trustees' shares, in hex."""
        shares = {
            i: open_share(header, i, trustee.box)[1]
            for i, trustee in enumerate(self.world.trustees[:2], 1)
        }
        found = find_host_half(header, shares)
        assert found is not None
        return parse_card(card, header.suite).bidder_half.hex(), found.host_half.hex()


@dataclass(frozen=True, slots=True)
class SealedFiles:
    """What `kaibiao seal` left."""

    base: Path

    def file(self, ending: str) -> Path:
        return self.base.with_name(self.base.name + ending)

    @property
    def header(self) -> Header:
        return parse_header(self.file(".kbh").read_bytes())

    @property
    def card(self) -> str:
        return self.file(".card.txt").read_text()


@pytest.fixture(scope="session")
def tender(tmp_path_factory: pytest.TempPathFactory) -> Tender:
    folder = tmp_path_factory.mktemp("tender")
    world = World(b"command line".ljust(32, b"."), 1)
    plan = TenderPlan(
        number="JZ-2026-SG-0417",
        title="滨河东路道路改造工程（施工）",
        deadline_ms=1_795_140_000_000,
        body_pt_len_max=BODY_MAX,
    )
    site = SigningKey(b"site".ljust(32, b"."))
    manifest, signatures = build_manifest(
        world,
        plan,
        receipt_pk=site.public,
        log_origin="cli.example/kaibiao/log",
        log_pk=SigningKey(b"log".ljust(32, b".")).public,
    )
    made = Tender(folder, world, parse_manifest(manifest))
    made.path("manifest.json").write_bytes(manifest)
    made.path("manifest.sig.json").write_bytes(signatures)
    made.path("passphrase").write_text(PASSPHRASE + "\n", encoding="utf-8")
    made.path("form.json").write_text(json.dumps(FORM, ensure_ascii=False), encoding="utf-8")
    done = keygen(made, made.path("bidder.kbk"))
    assert done.code == 0, done
    return made


def keygen(tender: Tender, out: Path, **more: object) -> Ran:
    words = {"passphrase-file": tender.path("passphrase"), **more}
    return run("keygen", tender.path("manifest.json"), "--out", out, *options(words))


def seal_words(tender: Tender, out: Path, **more: object) -> list[object]:
    """Arguments of `kaibiao seal`; ``more`` are options, a list being repeated."""
    words: dict[str, object] = {
        "key": tender.path("bidder.kbk"),
        "passphrase-file": tender.path("passphrase"),
        "out": out,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return ["seal", tender.path("manifest.json"), *options(words)]


def options(words: dict[str, object]) -> list[object]:
    found: list[object] = []
    for name, value in words.items():
        for each in value if isinstance(value, list) else [value]:
            found += [f"--{name}", each]
    return found


@pytest.fixture(scope="session")
def program() -> Iterator[Nursery]:
    """For many runs."""
    with Nursery() as found:
        yield found
