"""What must be refused, and by which check: headers, envelopes, shares, payloads, messages, cards.

Every header and message is signed again after it was damaged, so that it dies at its own check. The
expected verdict is written by hand beside each case; making a case asserts that Python agrees.
"""

from collections.abc import Iterator
from typing import Any

from kbid1_forge import (
    Forge,
    as_refused,
    flipped,
    forge_of,
)
from kbid1_hostile_envelopes import envelope_cases
from kbid1_hostile_messages import card_cases, message_cases
from kbid1_hostile_payloads import payload_cases, salamanders
from kbid1_hostile_shares import box_cases, share_cases
from kbid1_tender import (
    BIDDER,
    OTHER_BIDDER,
    OTHER_BOX,
    TRUSTEES,
    a_body,
    a_form,
    padded,
    seal,
    terms_json,
    trustees,
)

from crypto.header import accept_header
from crypto.suites import Suite

Case = tuple[str, str, bytes, str]
"""name, terms, header, code"""


def hostile_json(suite: Suite) -> dict[str, object]:
    """The whole file."""
    contexts = {
        "form": a_form(suite),
        "body": a_body(suite),
        "demo, 2 of 2": a_form(suite, t=2, trustee_xpks=trustees(2), demo=True),
        "2 of 2": a_form(suite, t=2, trustee_xpks=trustees(2)),
        "small form": a_form(suite, pt_len_max=4096),
        "lots 1 and 2": a_form(suite, lots=(1, 2)),
    }
    form = seal(contexts["form"], padded(b'{"price":"71000000.00"}'), "hostile form")
    body = seal(contexts["body"], [(b"kaibiao ", 16384)], "hostile body")
    headers: list[dict[str, object]] = []
    for name, context, raw, code in _header_cases(forge_of(form), forge_of(body)):
        as_refused(code, accept_header, raw, contexts[context])
        headers.append({"name": name, "terms": context, "header": raw.hex(), "expect": code})
    assert len({case["name"] for case in headers}) == len(headers)
    return {
        "about": "KBID1: what must be refused; shape in README.md",
        "terms": {name: terms_json(terms) for name, terms in contexts.items()},
        "headers": headers,
        "stored": {"form": form.payload.hex()},
        "envelopes": envelope_cases(form, body),
        "salamanders": salamanders(form),
        "payloads": payload_cases(form, body),
        "boxes": box_cases(form),
        "shares": share_cases(form),
        "messages": message_cases(suite),
        "cards": card_cases(suite),
    }


def _header_cases(form: Forge, body: Forge) -> Iterator[Case]:
    yield from _shape(form)
    yield from _numbers(form, body)
    yield from _terms(form)
    yield from _trustees(form)
    yield from _signatures(form)


def _shape(form: Forge) -> Iterator[Case]:
    good = form.raw()
    yield "empty", "form", b"", "header.length"
    yield "eleven bytes", "form", good[:11], "header.length"
    yield "core only", "form", good[:160], "header.length"
    yield "fixed part only", "form", good[:404], "header.length"
    yield "one byte short", "form", good[:-1], "header.length"
    yield "one byte long", "form", good + b"\x00", "header.length"
    yield "much too long", "form", good + bytes(2000), "header.length"
    yield "magic flipped", "form", form.raw(magic=b"\x89KBIE\r\n\x1a"), "header.magic"
    yield (
        "magic after newline conversion",
        "form",
        form.raw(magic=b"\x89KBID\n\x1a\x00"),
        "header.magic",
    )
    yield "version 0", "form", form.raw(version=0), "header.version"
    yield "version 2", "form", form.raw(version=2), "header.version"
    yield "suite 0", "form", form.raw(suite_id=0), "header.suite"
    yield "suite of the tests", "form", form.raw(suite_id=0xFF01), "header.suite"
    for delta in (-1, 1, 144, -144):
        lie = form.raw(header_len=form.fields["header_len"] + delta)
        yield f"header_len lies by {delta}", "form", lie, "header.length"
    yield "header_len 2^32-1", "form", form.raw(header_len=2**32 - 1), "header.length"
    yield "first zero byte set", "form", form.raw(zero=b"\x01\x00"), "header.zero"
    yield "second zero byte set", "form", form.raw(zero=b"\x00\x80"), "header.zero"


def _numbers(form: Forge, body: Forge) -> Iterator[Case]:
    for log2 in (0, 15, 21, 32, 4_000_000_000):
        yield f"log2_chunk {log2}", "form", form.raw(log2_chunk=log2), "header.log2_chunk"
    yield "log2_chunk 17, not the manifest's", "form", form.raw(log2_chunk=17), "header.log2_chunk"
    yield (
        "log2_chunk 17 and n_chunks to match",
        "body",
        body.raw(log2_chunk=17, n_chunks=1),
        "header.log2_chunk",
    )
    for count in (0, 2, 2**32 - 1):
        yield f"n_chunks {count} instead of 1", "form", form.raw(n_chunks=count), "header.n_chunks"
    for count in (1, 3):
        yield f"n_chunks {count} instead of 2", "body", body.raw(n_chunks=count), "header.n_chunks"
    huge = form.raw(pt_len=2**63, n_chunks=2**32 - 1)
    yield "pt_len 2^63", "form", huge, "header.n_chunks"
    largest = (2**32 - 1) << 16
    yield (
        "the largest pt_len that n_chunks can count",
        "body",
        body.raw(pt_len=largest, n_chunks=2**32 - 1),
        "header.pt_len",
    )
    for pt_len in (0, 1, 4095, 4097, 65_535):
        yield f"form of {pt_len} bytes", "form", form.raw(pt_len=pt_len), "header.pt_len"
    yield (
        "form of 69632 bytes",
        "form",
        form.raw(pt_len=69_632, n_chunks=2),
        "header.pt_len",
    )
    yield "form beyond the manifest's limit", "small form", form.raw(pt_len=8192), "header.pt_len"
    for pt_len, n_chunks in ((0, 1), (4096, 1), (65_535, 1), (131_071, 2)):
        lie = body.raw(pt_len=pt_len, n_chunks=n_chunks)
        yield f"body of {pt_len} bytes", "body", lie, "header.pt_len"
    lie = body.raw(pt_len=2**31 + 65_536, n_chunks=2**15 + 1)
    yield "body beyond the manifest's limit", "body", lie, "header.pt_len"


def _terms(form: Forge) -> Iterator[Case]:
    fields = form.fields
    yield "other tender", "form", form.raw(tender_id=flipped(fields["tender_id"])), "header.tender"
    yield "lot 0", "form", form.raw(lot=0), "header.lot"
    yield "lot 2 of a tender with lot 1", "form", form.raw(lot=2), "header.lot"
    yield "lot 3 of a tender with 1 and 2", "lots 1 and 2", form.raw(lot=3), "header.lot"
    yield "envelope 2 in place of 1", "form", form.raw(envelope=2), "header.envelope"
    yield "envelope 1 in place of 2", "body", form.raw(), "header.envelope"
    yield (
        "copied under another bidder's key",
        "form",
        form.raw(key=OTHER_BIDDER, bidder_pk=OTHER_BIDDER.public),
        "header.bidder",
    )
    yield (
        "bidder_pk is not a point",
        "form",
        form.raw(bidder_pk=b"\x02" + bytes(31)),
        "header.bidder",
    )
    other = form.raw(bidder_xpk=OTHER_BOX.public)
    yield "another bidder_xpk", "form", other, "header.bidder_xpk"
    for name, u in (("zero", 0), ("one", 1), ("2^255-19", 2**255 - 19)):
        weak = form.raw(bidder_xpk=u.to_bytes(32, "little"))
        yield f"bidder_xpk is {name}", "form", weak, "header.box_key"


def _trustees(form: Forge) -> Iterator[Case]:
    rows = form.rows
    own = TRUSTEES[9].public
    box = rows[0][1]
    yield "t = 0", "form", form.raw(t=0), "header.threshold"
    yield "t = 1, not the manifest's", "form", form.raw(t=1), "header.threshold"
    yield "t = n, not the manifest's", "form", form.raw(t=3), "header.threshold"
    yield "t beyond n", "form", form.raw(t=4), "header.threshold"
    yield "n = 0", "form", form.raw(n=0), "header.threshold"
    yield "n = 10", "form", form.raw(n=10), "header.threshold"
    yield "n = 2 over three rows", "form", form.raw(n=2), "header.length"
    yield "n = 4 over three rows", "form", form.raw(n=4), "header.length"
    lone = form.raw(t=1, rows=[(own, box)])
    yield "t = n = 1 to a private key", "form", lone, "header.threshold"
    yield "t = n without demo", "2 of 2", form.raw(rows=rows[:2]), "header.threshold"
    missing = form.raw(rows=[*rows[:1], rows[2]])
    yield "one trustee left out", "demo, 2 of 2", missing, "header.trustees"
    yield "order swapped", "form", form.raw(rows=[rows[1], rows[0], rows[2]]), "header.trustees"
    swapped = [(rows[1][0], rows[0][1]), (rows[0][0], rows[1][1]), rows[2]]
    yield "keys swapped, boxes not", "form", form.raw(rows=swapped), "header.trustees"
    private = [*rows[:2], (own, box)]
    yield "one trustee replaced", "form", form.raw(rows=private), "header.trustees"
    yield "a fourth trustee", "form", form.raw(rows=[*rows, (own, box)]), "header.trustees"
    twice = [rows[0], rows[0], rows[2]]
    yield "one trustee twice", "form", form.raw(rows=twice), "header.trustees"
    for name, u in (("zero", 0), ("of low order", 1), ("not canonical", 2**255 - 18)):
        weak = [*rows[:2], (u.to_bytes(32, "little"), box)]
        yield f"a trustee's key is {name}", "form", form.raw(rows=weak), "header.box_key"
    for i, (xpk, _) in enumerate(rows):
        changed = [(flipped(xpk) if j == i else key, box) for j, (key, box) in enumerate(rows)]
        yield f"key {i + 1} flipped", "form", form.raw(rows=changed), "header.trustees"


def _signatures(form: Forge) -> Iterator[Case]:
    good = form.raw()
    order = 2**252 + 27742317777372353535851937790883648493
    malleable = (int.from_bytes(good[-32:], "little") + order).to_bytes(32, "little")
    yield "signature flipped", "form", good[:-1] + flipped(good[-1:]), "header.signature"
    yield "signature of zero", "form", good[:-64] + bytes(64), "header.signature"
    yield "signature with S + L", "form", good[:-32] + malleable, "header.signature"
    yield "signed by another key", "form", form.raw(key=OTHER_BIDDER), "header.signature"
    yield "signed under another label", "form", form.raw(label="KBID1 submit"), "header.signature"
    unlabelled = good[:-64] + BIDDER.sign(good[:-64])
    yield "signed without label and hash", "form", unlabelled, "header.signature"
    for name in ("c_B", "c_H", "c_K", "c_P", "ct_root", "box_B", "bid_nonce"):
        changed = form.raw(**{name: flipped(form.fields[name])})
        stale: Any = changed[:-64] + good[-64:]
        yield f"{name} flipped, not signed again", "form", stale, "header.signature"
