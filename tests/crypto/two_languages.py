"""Questions that Python and the browser code both answer; the browser code's answers by Node.

A question is a dict: `ask` names it, `raw` holds the bytes, further members as the table of
answers needs them; bytes are hex. The browser's side is web_client/tests/crypto/agree.ts.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from crypto import canonical, text
from crypto.card import parse_card
from crypto.checkpoint import parse_checkpoint
from crypto.entries import decode_entry
from crypto.errors import Rejected
from crypto.formats import decode_document
from crypto.hashes import blake2b_256, sha256
from crypto.header import accept_header, parse_header
from crypto.keys import SigningKey, verify
from crypto.manifest import parse_manifest
from crypto.messages import (
    parse_ack,
    parse_card_unlock,
    parse_release,
    parse_self_release,
    parse_submit,
    parse_unlock,
)
from crypto.receipts import parse_receipt, verify_receipt
from crypto.sealing import content_key, deal_check, open_payload, seal_bytes
from crypto.suites import Suite, get_suite
from tests.crypto.vector_files import terms_of

CLIENT = Path(__file__).parent.parent.parent / "web_client"
Question = dict[str, Any]


def bundle(folder: Path) -> Path:
    """The browser code's side as one program for Node."""
    bundler = CLIENT / "node_modules/.bin/rolldown"
    command = [bundler, "tests/crypto/agree.ts", "--platform", "node", "--format", "esm"]
    subprocess.run(
        [*map(str, command), "-d", str(folder)], cwd=CLIENT, check=True, capture_output=True
    )
    (folder / "package.json").write_text('{"type": "module"}')
    return folder / "agree.js"


def browser_answers(program: Path, questions: list[Question]) -> list[Any]:
    node = shutil.which("node")
    assert node is not None
    done = subprocess.run(
        [node, str(program)], input=json.dumps(questions), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def python_answers(questions: list[Question]) -> list[Any]:
    return [_answer(question) for question in questions]


def _answer(question: Question) -> Any:
    try:
        return _ANSWERS[question["ask"]](bytes.fromhex(question["raw"]), question)
    except Rejected as refusal:
        return f"refused {refusal.code}"


def _suite(question: Question) -> Suite:
    return get_suite(question["suite"], allow_test=True)


def _octets(question: Question, name: str) -> bytes:
    return bytes.fromhex(question[name])


def _seal(raw: bytes, question: Question) -> list[str]:
    sealed = seal_bytes(
        terms_of(question["terms"]),
        raw,
        lot=question["lot"],
        created_ms=question["created_ms"],
        bid_nonce=_octets(question, "bid_nonce"),
        seed=_octets(question, "seed"),
        key=SigningKey(_octets(question, "sign_seed")),
    )
    return [sealed.header.raw.hex(), sealed.payload.hex()]


def _open(raw: bytes, question: Question) -> str:
    header = accept_header(_octets(question, "header"), terms_of(question["terms"]))
    s_B, s_H = _octets(question, "s_B"), _octets(question, "s_H")
    if not deal_check(header, s_H):
        return "deal_check"
    key = content_key(header, s_B, s_H)
    return "content_key" if key is None else sha256(open_payload(header, key, raw)).hex()


def _read(raw: bytes, question: Question) -> str:
    canonical.decode(raw, size_max=question["size_max"], depth_max=question["depth_max"])
    return "read"


def _document(raw: bytes, question: Question) -> str:
    decode_document(question["document"], raw)
    return "read"


def _receipt(raw: bytes, question: Question) -> str:
    manifest = parse_manifest(_octets(question, "manifest"))
    return verify_receipt(parse_receipt(raw), manifest).ack.digest.hex()


def _checkpoint(raw: bytes, question: Question) -> int:
    shown = raw.decode("utf-8", "replace")
    return parse_checkpoint(shown, question["origin"], _octets(question, "log_pk")).size


def _text(raw: bytes, _question: Question) -> str:
    shown = text.check_text(raw.decode("utf-8", "replace"), 1, 50)
    return blake2b_256(shown.encode("utf-8")).hex()


def _card(raw: bytes, question: Question) -> str:
    return parse_card(raw.decode("utf-8", "replace"), _suite(question)).bidder_half.hex()


_ANSWERS: dict[str, Callable[[bytes, Question], Any]] = {
    "seal": _seal,
    "open": _open,
    "header": lambda raw, q: parse_header(raw, _suite(q)).bid_id.hex(),
    "accept": lambda raw, q: accept_header(raw, terms_of(q["terms"])).bid_id.hex(),
    "submit": lambda raw, q: parse_submit(raw, _suite(q)).digest.hex(),
    "unlock": lambda raw, q: parse_unlock(raw, _suite(q)).digest.hex(),
    "release": lambda raw, q: parse_release(raw, _suite(q)).digest.hex(),
    "card_unlock": lambda raw, q: parse_card_unlock(raw, _suite(q)).digest.hex(),
    "self_release": lambda raw, q: parse_self_release(raw, _suite(q)).digest.hex(),
    "ack": lambda raw, _: parse_ack(raw).digest.hex(),
    "card": _card,
    "json": _read,
    "document": _document,
    "manifest": lambda raw, _: parse_manifest(raw).tender_id.hex(),
    "entry": lambda raw, _: int(decode_entry(raw).type),
    "receipt": _receipt,
    "checkpoint": _checkpoint,
    "text": _text,
    "money": lambda raw, _: text.parse_money(raw.decode("utf-8", "replace")),
    "rate": lambda raw, _: text.parse_rate(raw.decode("utf-8", "replace"), 2),
    "signature": lambda raw, q: verify(_octets(q, "public"), raw, _octets(q, "sig")),
}
