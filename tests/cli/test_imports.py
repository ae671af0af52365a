"""What a bidder's machine loads: the sealing, not the server; the verifier, not even that."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Tender, seal_words
from tests.crypto.vector_files import GOOD

# One line more than the program: what it has imported when it is done.
TELLING = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps(sorted(sys.modules)), file=sys.stderr))
from server.cli import main
sys.argv = ["kaibiao", *sys.argv[1:]]
main()
"""
OF_THE_SERVER = ("aiohttp", "websockets", "uvloop", "apsw", "asyncio", "signaling", "prometheus")
LAYERS = ("app", "config", "decryption", "demo", "domain", "http", "reports", "rooms", "storage")


def imported(*words: object) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", TELLING, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def assert_no_server(modules: set[str]) -> None:
    tops = {name.split(".")[0] for name in modules}
    assert not tops & set(OF_THE_SERVER) - {"asyncio"}
    assert not modules & {f"server.{layer}" for layer in LAYERS}


def test_seal_and_keygen_load_no_server(tender: Tender, tmp_path: Path) -> None:
    words = seal_words(tender, tmp_path / "bid", envelope=2, file=tender.path("form.json"))
    modules = imported(*words)
    assert "crypto.sealing" in modules
    assert (tmp_path / "bid.kbh").exists()
    assert_no_server(modules)


@pytest.mark.parametrize("verb", ["inspect", "open", "verify", "config", "--help"])
def test_no_verb_of_a_bidder_or_a_reader_loads_the_server(verb: str, tmp_path: Path) -> None:
    case = GOOD["kbid1.json"]["envelopes"][1]
    header, payload = tmp_path / "bid.kbh", tmp_path / "bid.kbc"
    header.write_bytes(bytes.fromhex(case["header"]))
    payload.write_bytes(bytes.fromhex(case["payload"]))
    halves = ["--bidder-half", case["s_B"], "--host-half", case["s_H"]]
    words: dict[str, list[object]] = {
        "inspect": [header],
        "open": [header, payload, *halves, "--out", tmp_path / "out"],
        "verify": [tmp_path / "none.zip"],
        "config": ["example"],
        "--help": [],
    }
    modules = imported(verb, *words[verb])
    if verb == "config":
        assert not modules & {"server.http", "server.app", "aiohttp", "websockets"}
    else:
        assert_no_server(modules)
    if verb == "verify":
        assert not modules & {"crypto.sealing", "crypto.suites", "nacl", "msgspec"}
