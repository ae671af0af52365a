"""Python and the browser code give the same answer to the same bytes, whatever the bytes are.

The vector files hold the answers that somebody thought about; here both languages are asked about
sealings with random inputs and about thousands of damaged documents, and must only agree.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from crypto.header import parse_header
from crypto.keys import BoxKey, SigningKey
from crypto.schedule import bidder_half, host_half
from crypto.sealing import unseal_seed
from crypto.suites import get_suite
from tests.crypto.two_languages import Question, browser_answers, bundle, python_answers
from tests.crypto.vector_files import CURVES, GOOD, load

DAMAGED_EACH = 120
FORMATS = load("formats.json")
DOCUMENTS = {each["name"]: each for each in FORMATS["documents"]}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundle(tmp_path_factory.mktemp("agree"))


def differences(program: Path, questions: list[Question]) -> list[tuple[Any, Any, Question]]:
    pairs = zip(
        python_answers(questions), browser_answers(program, questions), questions, strict=True
    )
    return [(ours, theirs, question) for ours, theirs, question in pairs if ours != theirs]


def sealings(suite_id: int, chance: random.Random, count: int) -> Iterator[Question]:
    """Random bidders, trustees, sizes and secrets."""
    suite = get_suite(suite_id, allow_test=True)
    for _ in range(count):
        n = chance.randint(2, 9)
        trustees = [BoxKey(chance.randbytes(32)) for _ in range(n)]
        key, box = SigningKey(chance.randbytes(32)), BoxKey(chance.randbytes(32))
        is_form = chance.random() < 0.5
        block = 4096 if is_form else 65_536
        terms = {
            "suite": suite_id,
            "tender_id": chance.randbytes(32).hex(),
            "lots": [0, 7],
            "envelope": 1 if is_form else chance.randint(2, 2**32 - 1),
            "kind": "form" if is_form else "body",
            "log2_chunk": chance.randint(16, 20),
            "pt_len_max": 65_536 if is_form else 2**31,
            "t": chance.randint(1, n - 1),
            "trustee_xpks": [trustee.public.hex() for trustee in trustees],
            "demo": False,
            "bidder_pk": key.public.hex(),
            "bidder_xpk": box.public.hex(),
        }
        yield {
            "ask": "seal",
            "raw": chance.randbytes(block * chance.randint(1, 4)).hex(),
            "terms": terms,
            "lot": chance.choice([0, 7]),
            "created_ms": chance.randint(0, 2**53 - 1),
            "bid_nonce": chance.randbytes(suite.bid_nonce_size).hex(),
            "seed": chance.randbytes(suite.seed_size).hex(),
            "sign_seed": key.seed.hex(),
            "xpk_seed": box.seed.hex(),
        }


@pytest.mark.parametrize("suite_id", [0x0001, 0xFF01])
def test_both_seal_to_the_same_bytes_and_each_opens_what_the_other_sealed(
    program: Path, suite_id: int
):
    questions = list(sealings(suite_id, random.Random(suite_id), 8))
    ours, theirs = python_answers(questions), browser_answers(program, questions)
    assert ours == theirs
    suite = get_suite(suite_id, allow_test=True)
    opening: list[Question] = []
    for question, (raw, payload) in zip(questions, theirs, strict=True):
        header = parse_header(bytes.fromhex(raw), suite)
        seed = unseal_seed(header, BoxKey(bytes.fromhex(question["xpk_seed"])))
        assert seed.hex() == question["seed"]
        halves = {"s_B": bidder_half(suite, seed).hex(), "s_H": host_half(suite, seed).hex()}
        members = {"ask": "open", "terms": question["terms"], "header": raw, **halves}
        opening.append({**members, "raw": payload})
        damaged = payload[:-2] + ("00" if payload[-2:] != "00" else "01")
        opening.append({**members, "raw": damaged})
        opening.append({**members, "raw": payload, "s_B": halves["s_B"][:-2] + "00"})
    answers = python_answers(opening)
    assert answers == browser_answers(program, opening)
    assert answers[1::3] == ["refused chunk.tag"] * len(questions)


_TELLING = b'"{}[]:,0-9.eE\\u /\x00\x7f\x80\xff'  # bytes on which parsers differ


def damaged(raw: bytes, chance: random.Random) -> bytes:
    """The bytes after one small accident: a flip, a cut, a repetition, a swap, another byte."""
    if not raw:
        return chance.randbytes(1)
    at = chance.randrange(len(raw))
    end = min(len(raw), at + chance.choice([1, 2, 4, 32]))
    piece = raw[at:end]
    match chance.randrange(6):
        case 0:
            return raw[:at] + bytes([raw[at] ^ 1 << chance.randrange(8)]) + raw[at + 1 :]
        case 1:
            return raw[:at] + raw[end:]
        case 2:
            return raw[:end] + piece + raw[end:]
        case 3:
            return raw[:at] + piece[::-1] + raw[end:]
        case 4:
            return raw[:at] + bytes([chance.choice(_TELLING)]) + raw[end:]
        case _:
            return raw[:at] + chance.randbytes(len(piece)) + raw[end:]


def documents() -> Iterator[Question]:
    """One lawful document of every kind."""
    for name, document in DOCUMENTS.items():
        if name != "manifest-odd-sizes":
            raw = document["json"]
            yield {"ask": "document", "document": document["document"], "raw": raw}
            yield {"ask": "json", "raw": raw, "size_max": 2**20, "depth_max": 8}
    manifest = DOCUMENTS["manifest"]["json"]
    yield {"ask": "manifest", "raw": manifest}
    yield {"ask": "receipt", "raw": DOCUMENTS["receipt"]["json"], "manifest": manifest}
    closing = FORMATS["closing"]
    note = closing["checkpoint"].encode().hex()
    names = {"origin": closing["origin"], "log_pk": closing["log_pk"]}
    yield {"ask": "checkpoint", "raw": note, **names}
    for entry in FORMATS["entries"]:
        yield {"ask": "entry", "raw": entry["entry"]}
    for name in ("有限公司（北京）", "Ä Ö é", "何川\u3000𠀀"):
        yield {"ask": "text", "raw": name.encode().hex()}
    for amount in ("71000000.00", "0.07", "9999999999999.99"):
        yield {"ask": "money", "raw": amount.encode().hex()}
        yield {"ask": "rate", "raw": amount[-5:].encode().hex()}
    for vector in CURVES["signatures"]:
        key, sig = vector["public"], vector["signature"]
        yield {"ask": "signature", "raw": vector["message"], "public": key, "sig": sig}


def sealing_documents() -> Iterator[Question]:
    for document in GOOD.values():
        suite = document["suite"]["id"]
        for case in document["envelopes"][:3]:
            yield {"ask": "header", "raw": case["header"], "suite": suite}
            yield {"ask": "accept", "raw": case["header"], "terms": case["terms"]}
        for kind, cases in document["messages"].items():
            for case in cases[:2]:
                raw = case["text"].encode().hex() if kind == "card" else case["raw"]
                yield {"ask": kind, "raw": raw, "suite": suite}


def test_both_read_the_same_out_of_damaged_documents(program: Path):
    chance = random.Random(20260417)
    questions = [*documents(), *sealing_documents()]
    for question in list(questions):
        raw = bytes.fromhex(question["raw"])
        for _ in range(DAMAGED_EACH):
            hurt = damaged(raw, chance)
            # Some wounds only show when the bytes are hurt again elsewhere.
            twice = damaged(hurt, chance) if chance.random() < 0.3 else hurt
            questions.append({**question, "raw": twice.hex()})
    found = differences(program, questions)
    assert not found, f"{len(found)} of {len(questions)}, first: {found[0]}"
    codes = {answer for answer in python_answers(questions) if str(answer).startswith("refused")}
    assert len(codes) > 60, "the damage reaches only few checks"
