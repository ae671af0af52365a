"""Messages and cards that must be refused. "signature": they parse, but the signer is wrong."""

import base64
import struct
from collections.abc import Callable, Iterator
from typing import Any

from kbid1_forge import as_refused, signed
from kbid1_tender import (
    BIDDER,
    OTHER_BIDDER,
    RECEIPT_KEY,
    TENDER_ID,
    TRUSTEE_SIGNERS,
    octets,
)

from crypto.card import card_text, parse_card
from crypto.hashes import blake2b_512, label_bytes
from crypto.keys import SigningKey
from crypto.messages import (
    parse_ack,
    parse_card_unlock,
    parse_release,
    parse_self_release,
    parse_submit,
    parse_unlock,
    signature_ok,
)
from crypto.schedule import card_check
from crypto.suites import Suite

Json = dict[str, object]
Case = tuple[str, bytes, str]
"""name, message, code"""

BIDS = [octets(f"bid {index}", 32) for index in range(3)]
HALVES = [octets(f"half {index}", 32) for index in range(3)]
NONCE = octets("opening nonce", 32)
ROOT = octets("checkpoint root", 32)
ORDER = 2**252 + 27742317777372353535851937790883648493


def message_cases(suite: Suite) -> dict[str, list[Json]]:
    """By kind of message."""
    trustee = TRUSTEE_SIGNERS[0].public
    kinds: list[tuple[str, Iterator[Case], Callable[[bytes], Any], bytes | None]] = [
        ("submit", _submit(suite), lambda raw: parse_submit(raw, suite), BIDDER.public),
        ("unlock", _unlock(suite), lambda raw: parse_unlock(raw, suite), BIDDER.public),
        ("release", _release(suite), lambda raw: parse_release(raw, suite), trustee),
        ("ack", _ack(), parse_ack, RECEIPT_KEY.public),
        ("card_unlock", _card_unlock(), lambda raw: parse_card_unlock(raw, suite), None),
        ("self_release", _self_release(suite), lambda raw: parse_self_release(raw, suite), None),
    ]
    shown: dict[str, list[Json]] = {}
    for kind, cases, parse, public in kinds:
        shown[kind] = []
        for name, raw, code in cases:
            if code == "signature":
                assert public is not None
                assert not signature_ok(parse(raw), public), name
            else:
                as_refused(code, parse, raw)
            case: Json = {"name": name, "raw": raw.hex(), "expect": code}
            if public is not None:
                case["public"] = public.hex()
            shown[kind].append(case)
    return shown


def _ends(good: bytes, noun: str, magic: bytes) -> Iterator[Case]:
    """What every message must refuse."""
    yield "empty", b"", f"{noun}.length"
    yield "magic only", good[:8], f"{noun}.length"
    yield "one byte short", good[:-1], f"{noun}.length"
    yield "one byte long", good + b"\x00", f"{noun}.length"
    yield "magic of another kind", magic + good[8:], f"{noun}.magic"


def _signatures(suite: Suite, body: bytes, key: SigningKey) -> Iterator[Case]:
    good = signed(suite, "KBID1 header", body, key)
    yield "signed under another label", good, "signature"
    yield "signed without label and hash", body + key.sign(body), "signature"
    yield "signature of zero", body + bytes(64), "signature"


def _submit(suite: Suite) -> Iterator[Case]:
    def body(
        items: list[tuple[int, bytes]],
        seq: int = 1,
        prev: bytes = bytes(32),
        kind: int = 1,
        zero: int = 0,
        k: int | None = None,
        pk: bytes = BIDDER.public,
    ) -> bytes:
        count = len(items) if k is None else k
        head = struct.pack(
            ">8s32s32sII32sBBH", b"KBIDSUB1", TENDER_ID, pk, 1, seq, prev, kind, zero, count
        )
        return head + b"".join(struct.pack(">I32s", *item) for item in items)

    def raw(*arguments: Any, **named: Any) -> bytes:
        return signed(suite, "KBID1 submit", body(*arguments, **named), BIDDER)

    form, more = (1, BIDS[0]), sorted([(2, BIDS[1]), (2, BIDS[2])])
    yield from _ends(raw([form]), "submit", b"KBIDUNL1")
    yield "kind 0", raw([form], kind=0), "submit.kind"
    yield "kind 3", raw([form], kind=3), "submit.kind"
    yield "zero byte set", raw([form], zero=1), "submit.zero"
    yield "submit of nothing", raw([]), "submit.count"
    yield "withdraw with an item", raw([form], kind=2), "submit.count"
    yield "257 items", raw([form, *((2, octets(f"x{i}", 32)) for i in range(256))]), "submit.count"
    yield "k lies by one more", raw([form], k=2), "submit.length"
    yield "k lies by one less", raw([form, more[0]], k=1), "submit.length"
    yield "seq 0", raw([form], seq=0), "submit.seq"
    yield "first message with prev", raw([form], prev=ROOT), "submit.prev"
    yield "second message without prev", raw([form], seq=2), "submit.prev"
    yield "items descending", raw([more[0], form]), "submit.order"
    yield "bodies descending", raw([form, more[1], more[0]]), "submit.order"
    yield "one item twice", raw([form, more[0], more[0]]), "submit.order"
    yield "no form", raw([more[0]]), "submit.form"
    yield "two forms", raw(sorted([(1, BIDS[0]), (1, BIDS[1])])), "submit.form"
    yield from _signatures(suite, body([form]), BIDDER)
    stranger = signed(suite, "KBID1 submit", body([form]), OTHER_BIDDER)
    yield "signed by another bidder", stranger, "signature"
    own = body([form], pk=OTHER_BIDDER.public)
    yield (
        "another bidder's own message",
        signed(suite, "KBID1 submit", own, OTHER_BIDDER),
        "signature",
    )


def _unlock(suite: Suite) -> Iterator[Case]:
    def body(items: list[tuple[bytes, bytes]], w: int = 1, k: int | None = None) -> bytes:
        count = len(items) if k is None else k
        head = struct.pack(
            ">8s32s32s32sIHH", b"KBIDUNL1", TENDER_ID, NONCE, BIDDER.public, 1, w, count
        )
        return head + b"".join(bid + half for bid, half in items)

    def raw(*arguments: Any, **named: Any) -> bytes:
        return signed(suite, "KBID1 unlock", body(*arguments, **named), BIDDER)

    pairs = sorted(zip(BIDS, HALVES, strict=True))
    yield from _ends(raw(pairs), "unlock", b"KBIDSUB1")
    yield "nothing to unlock", raw([]), "unlock.count"
    many = sorted((octets(f"bid {i}", 32), HALVES[0]) for i in range(257))
    yield "257 items", raw(many), "unlock.count"
    yield "k lies by one more", raw(pairs, k=4), "unlock.length"
    yield "k lies by one less", raw(pairs, k=2), "unlock.length"
    yield "window 0", raw(pairs, w=0), "unlock.window"
    yield "items descending", raw(pairs[::-1]), "unlock.order"
    yield "one item twice", raw([pairs[0], pairs[0]]), "unlock.order"
    two_halves = sorted([(BIDS[0], HALVES[0]), (BIDS[0], HALVES[1])])
    yield "one bid with two halves", raw(two_halves), "unlock.order"
    yield from _signatures(suite, body(pairs), BIDDER)
    yield (
        "signed by another bidder",
        signed(suite, "KBID1 unlock", body(pairs), OTHER_BIDDER),
        "signature",
    )


def _release(suite: Suite) -> Iterator[Case]:
    signer = TRUSTEE_SIGNERS[0]

    def body(
        items: list[tuple[bytes, int, bytes]],
        i: int = 1,
        mode: int = 0,
        zero: bytes = bytes(2),
        n: int | None = None,
    ) -> bytes:
        count = len(items) if n is None else n
        fixed = (b"KBIDREL1", TENDER_ID, ROOT, 1_700_000_123, NONCE, 1, i, mode, zero, count)
        head = struct.pack(">8s32s32sQ32sIBB2sI", *fixed)
        return head + b"".join(struct.pack(">32sB32s", *item) for item in items)

    def raw(*arguments: Any, **named: Any) -> bytes:
        return signed(suite, "KBID1 release", body(*arguments, **named), signer)

    share, nothing = suite.reduce(octets("scalar 0", 64)), bytes(32)
    low, high = sorted(BIDS[:2])
    good = [(low, 0, share), (high, 1, nothing)]
    yield from _ends(raw(good), "release", b"KBIDUNL1")
    yield "position 0", raw(good, i=0), "release.position"
    yield "position 10", raw(good, i=10), "release.position"
    yield "mode 2", raw(good, mode=2), "release.mode"
    yield "first zero byte set", raw(good, zero=b"\x01\x00"), "release.zero"
    yield "second zero byte set", raw(good, zero=b"\x00\x01"), "release.zero"
    yield "N of 2^32-1", raw(good, n=2**32 - 1), "release.count"
    yield "N of 20001", raw(good, n=20_001), "release.count"
    yield "N lies by one more", raw(good, n=3), "release.length"
    yield "N lies by one less", raw(good, n=1), "release.length"
    yield "items descending", raw(good[::-1]), "release.order"
    yield "one bid twice", raw([good[0], good[0]]), "release.order"
    yield "one bid with two answers", raw([(low, 0, share), (low, 1, nothing)]), "release.order"
    yield "status 4", raw([(low, 4, nothing)]), "release.status"
    yield "share beside status 1", raw([(low, 1, share)]), "release.share"
    yield "share beside status 3", raw([(low, 3, share)]), "release.share"
    beyond = ORDER.to_bytes(32, "little")
    yield "share of L", raw([(low, 0, beyond)]), "release.share"
    yield "share of all ones", raw([(low, 0, b"\xff" * 32)]), "release.share"
    yield from _signatures(suite, body(good), signer)
    other = TRUSTEE_SIGNERS[1]
    yield (
        "signed by another trustee",
        signed(suite, "KBID1 release", body(good), other),
        "signature",
    )


def _ack() -> Iterator[Case]:
    def body(kind: int = 1, result: int = 0, by: int = 2000) -> bytes:
        fixed = (
            b"KBIDACK1",
            TENDER_ID,
            kind,
            ROOT,
            result,
            1_700_000_000_000,
            1_700_000_000_000 + by,
        )
        return struct.pack(">8s32sB32sBQQ", *fixed)

    def raw(key: SigningKey = RECEIPT_KEY, label: str = "KBID1 ack", **named: int) -> bytes:
        unsigned = body(**named)
        return unsigned + key.sign(label_bytes(label) + blake2b_512(unsigned))

    yield from _ends(raw(), "ack", b"KBIDSUB1")
    yield "kind 0", raw(kind=0), "ack.kind"
    yield "kind 8", raw(kind=8), "ack.kind"
    yield "result 6", raw(result=6), "ack.result"
    yield "promised too early", raw(by=1999), "ack.time"
    yield "promised before it came", raw(by=-1), "ack.time"
    yield "signed under another label", raw(label="KBID1 submit"), "signature"
    yield "signed by a bidder", raw(key=BIDDER), "signature"


def _card_unlock() -> Iterator[Case]:
    good = b"KBIDCRD1" + TENDER_ID + NONCE + BIDS[0] + HALVES[0]
    yield from _ends(good, "card_unlock", b"KBIDSLF1")


def _self_release(suite: Suite) -> Iterator[Case]:
    head = b"KBIDSLF1" + TENDER_ID + NONCE + BIDS[0]
    scalar = suite.reduce(octets("scalar 0", 64))
    yield from _ends(head + scalar, "self_release", b"KBIDCRD1")
    beyond = (int.from_bytes(scalar, "little") + ORDER).to_bytes(32, "little")
    yield "s_H + L", head + beyond, "self_release.scalar"
    yield "s_H of L", head + ORDER.to_bytes(32, "little"), "self_release.scalar"
    yield "s_H of zero", head + bytes(32), "self_release.scalar"


def card_cases(suite: Suite) -> list[Json]:
    """Card texts; "ok" are ways of typing the same card."""
    good = card_text(BIDS[0], HALVES[0], suite)
    letters = good.replace(" ", "")
    body = b"\x02" + BIDS[0][:8] + HALVES[0]
    other = base64.b32encode(body + card_check(suite, body)).decode()
    swapped = letters[1] + letters[0] + letters[2:]
    mistyped = ("A" if letters[40] != "A" else "B").join([letters[:40], letters[41:]])
    cases = [
        ("as printed", good, "ok"),
        ("lower case, hyphens, line feeds", good.lower().replace(" ", "-\n\t "), "ok"),
        ("without blanks", letters, "ok"),
        ("empty", "", "card.length"),
        ("one letter short", letters[:-1], "card.length"),
        ("one letter long", letters + "A", "card.length"),
        ("1,025 blanks", " " * 1025, "card.length"),
        ("a digit one", "1" + letters[1:], "card.alphabet"),
        ("an equals sign at the end", letters[:-1] + "=", "card.alphabet"),
        ("a full-width letter", "\uff21" + letters[1:], "card.alphabet"),
        ("a long s, which folds to S", "\u017f" + letters[1:], "card.alphabet"),
        ("one letter wrong", mistyped, "card.checksum"),
        ("two letters swapped", swapped, "card.checksum"),
        ("version 2", other, "card.version"),
    ]
    shown: list[Json] = []
    for name, text, expect in cases:
        if expect == "ok":
            assert parse_card(text, suite).bidder_half == HALVES[0]
        else:
            as_refused(expect, parse_card, text, suite)
        shown.append({"name": name, "text": text, "expect": expect})
    return shown
