"""What must work: envelopes, messages, cards and key files with all inputs and all bytes."""

import hashlib
from dataclasses import fields, replace
from typing import Any

from kbid1_tender import (
    BIDDER,
    BIDDER_BOX,
    CREATED_MS,
    RECEIPT_KEY,
    TENDER_ID,
    TRUSTEE_SIGNERS,
    Recipe,
    a_body,
    a_form,
    octets,
    padded,
    recipe_json,
    seal,
    seed_json,
    terms_json,
    trustees,
)

from crypto.card import card_text
from crypto.errors import Rejected
from crypto.header import EnvelopeTerms, accept_header, core_size
from crypto.keyfile import create_keyfile
from crypto.layout import layout_of
from crypto.messages import (
    build_ack,
    build_card_unlock,
    build_release,
    build_self_release,
    build_submit,
    build_unlock,
)
from crypto.schedule import coefficients
from crypto.sealing import Sealed, content_key
from crypto.stream import chunk_sizes
from crypto.suites import NACL_1, Suite

FORM_JSON = (
    '{"bidder":{"code":"91360800MA00000044","name":"澄江路桥建设（江州）有限公司"},'
    '"fields":{"days":160,"manager":"何川","price":"71000000.00"},"format":1,"lot":1,'
    '"others":[{"bid_id":"e3f3c0dcca282d2dd64a739ccbd952a910f003b8046d1f9f9858315a5773be77",'
    '"envelope":2}]}'
)
PRICE = b'{"price":"71000000.00"}'
PAYLOAD_SHOWN_MAX = 8_192


def suite_json(suite: Suite) -> dict[str, object]:
    """Every size of the suite, and what the layout makes of them."""
    members: dict[str, object] = {"id": suite.id, "name": suite.name}
    members |= {
        each.name: getattr(suite, each.name)
        for each in fields(suite)
        if each.name.endswith("_size")
    }
    layout = layout_of(suite)
    return members | {
        "core_size": core_size(suite),
        "rows_at": layout.core.size + layout.fixed.size,
        "row_size": layout.row.size,
        "header_size_of_three": layout.header_size(3),
    }


def envelope_json(
    name: str, terms: EnvelopeTerms, recipe: Recipe, sealed: Sealed, inputs: dict[str, Any]
) -> dict[str, object]:
    header, suite = sealed.header, terms.suite
    key = content_key(header, sealed.bidder_half, sealed.host_half)
    assert key is not None
    try:
        accept_header(header.raw, terms)
        accept = "ok"
    except Rejected as refusal:
        accept = refusal.code
    polynomial = coefficients(suite, header.ad, sealed.host_half, header.t)
    return {
        "name": name,
        "terms": terms_json(terms),
        "inputs": seed_json(terms) | inputs | {"plaintext": recipe_json(recipe)},
        "accept": accept,
        "ad": header.ad.hex(),
        "s_B": sealed.bidder_half.hex(),
        "s_H": sealed.host_half.hex(),
        "K": key.K.hex(),
        "r_P": key.r_P.hex(),
        "c_B": header.c_B.hex(),
        "c_H": header.c_H.hex(),
        "c_K": header.c_K.hex(),
        "c_P": header.c_P.hex(),
        "ct_root": header.ct_root.hex(),
        "box_B": header.box_B.hex(),
        "shares": [suite.share_at(polynomial, i).hex() for i in range(1, header.n + 1)],
        "sig": header.sig.hex(),
        "bid_id": header.bid_id.hex(),
        "header": header.raw.hex(),
        "header_sha256": hashlib.sha256(header.raw).hexdigest(),
        "chunk_sizes": list(chunk_sizes(suite, header.pt_len, header.log2_chunk)),
        "payload": sealed.payload.hex() if len(sealed.payload) <= PAYLOAD_SHOWN_MAX else None,
        "payload_sha256": hashlib.sha256(sealed.payload).hexdigest(),
    }


def envelope_cases(suite: Suite) -> list[tuple[str, EnvelopeTerms, Recipe, dict[str, bytes]]]:
    """(name, terms, plaintext, inputs that do not follow from the name)."""
    body, form = a_body(suite), a_form(suite)
    nonce, seed = suite.bid_nonce_size, suite.seed_size
    published = {"bid_nonce": b"n" * nonce, "seed": b"s" * seed}
    published_form = {"bid_nonce": b"m" * nonce, "seed": b"t" * seed}
    filled = [(b"kaibiao ", 8192)]
    cases: list[tuple[str, EnvelopeTerms, Recipe, dict[str, bytes]]] = [
        ("published body, not padded", body, [(PRICE, 1), (b"\x00", 150_000)], published),
        ("published form", form, padded(PRICE), published_form),
        ("form of formats.md", form, padded(FORM_JSON.encode()), {}),
        ("form of two blocks", form, padded(octets("long form", 5000)), {}),
        ("body of one full chunk", body, filled, {}),
        ("body of two full chunks", body, filled * 2, {}),
        ("body of three full chunks", body, filled * 3, {}),
        (
            "body whose last chunk is half full",
            replace(body, log2_chunk=17),
            filled * 3,
            {},
        ),
        ("body of one chunk of 1 MiB", replace(body, log2_chunk=20), filled, {}),
        ("empty, format only", body, [], {}),
        ("one byte, format only", body, [(b"\x80", 1)], {}),
        ("one byte beyond a chunk, format only", body, [*filled, (b"\x80", 1)], {}),
    ]
    for t, n in ((1, 1), (1, 2), (2, 2), (3, 5), (4, 9), (5, 9), (9, 9)):
        terms = replace(form, t=t, trustee_xpks=trustees(n), demo=t == n)
        cases.append((f"form, {t} of {n}", terms, padded(PRICE), {}))
    return cases


def envelopes_json(suite: Suite) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = []
    for name, terms, recipe, given in envelope_cases(suite):
        sealed = seal(terms, recipe, name, **given)
        header = sealed.header
        inputs = {
            "lot": 1,
            "created_ms": CREATED_MS,
            "bid_nonce": header.bid_nonce.hex(),
            "seed": given.get("seed", octets(f"{name} seed", suite.seed_size)).hex(),
        }
        shown.append(envelope_json(name, terms, recipe, sealed, inputs))
    return shown


def messages_json(suite: Suite) -> dict[str, object]:
    """Each: its inputs, its bytes, the SHA-256 of them, and who signed."""
    bid_ids = [octets(f"bid {index}", suite.bid_id_size) for index in range(3)]
    halves = [octets(f"half {index}", suite.bidder_half_size) for index in range(3)]
    scalars = [suite.reduce(octets(f"scalar {index}", suite.wide_size)) for index in range(2)]
    shares = [suite.share_at([scalar], 1) for scalar in scalars]
    nonce, root = octets("opening nonce", 32), octets("checkpoint root", 32)
    chain: list[dict[str, object]] = []
    prev = bytes(32)
    for seq, items in enumerate(([(1, bid_ids[0])], [(2, bid_ids[2]), (1, bid_ids[1])], []), 1):
        kind = 1 if items else 2
        message = build_submit(
            suite,
            tender_id=TENDER_ID,
            lot=1,
            seq=seq,
            prev=prev,
            items=items,
            key=BIDDER,
            kind=kind,
        )
        inputs = {
            "tender_id": TENDER_ID.hex(),
            "sign_seed": BIDDER.seed.hex(),
            "lot": 1,
            "seq": seq,
            "prev": prev.hex(),
            "kind": kind,
            "items": [{"envelope": number, "bid_id": bid.hex()} for number, bid in items],
        }
        chain.append(_message(inputs, message, BIDDER.public))
        prev = message.digest
    window = {"tender_id": TENDER_ID.hex(), "opening_nonce": nonce.hex()}
    unlocks: list[dict[str, object]] = []
    for envelope, w, count in ((1, 1, 1), (2, 3, 3)):
        pairs = list(zip(bid_ids[:count], halves[:count], strict=True))
        unlock = build_unlock(
            suite,
            tender_id=TENDER_ID,
            opening_nonce=nonce,
            envelope=envelope,
            w=w,
            items=pairs,
            key=BIDDER,
        )
        inputs = window | {
            "sign_seed": BIDDER.seed.hex(),
            "envelope": envelope,
            "w": w,
            "items": [{"bid_id": bid.hex(), "s_B": half.hex()} for bid, half in pairs],
        }
        unlocks.append(_message(inputs, unlock, BIDDER.public))
    return {
        "submit": chain,
        "unlock": unlocks,
        "release": _releases(suite, bid_ids, shares, nonce, root),
        "ack": _acks(bytes.fromhex(str(chain[0]["digest"]))),
        "card_unlock": [
            _message(
                window | {"bid_id": bid_ids[0].hex(), "s_B": halves[0].hex()},
                build_card_unlock(
                    suite,
                    tender_id=TENDER_ID,
                    opening_nonce=nonce,
                    bid_id=bid_ids[0],
                    bidder_half=halves[0],
                ),
            )
        ],
        "self_release": [
            _message(
                window | {"bid_id": bid_ids[0].hex(), "s_H": scalars[0].hex()},
                build_self_release(
                    suite,
                    tender_id=TENDER_ID,
                    opening_nonce=nonce,
                    bid_id=bid_ids[0],
                    host_half=scalars[0],
                ),
            )
        ],
        "card": [
            {"bid_id": bid.hex(), "s_B": half.hex(), "text": card_text(bid, half, suite)}
            for bid, half in zip(bid_ids, halves, strict=True)
        ],
    }


def _releases(
    suite: Suite, bid_ids: list[bytes], shares: list[bytes], nonce: bytes, root: bytes
) -> list[dict[str, object]]:
    nothing = bytes(suite.share_size)
    lists = (
        (1, 0, [(bid_ids[0], 0, shares[0]), (bid_ids[1], 0, shares[1])]),
        (
            2,
            1,
            [(bid_ids[0], 1, nothing), (bid_ids[1], 2, nothing), (bid_ids[2], 3, nothing)],
        ),
        (9, 0, []),
    )
    shown: list[dict[str, object]] = []
    for i, mode, items in lists:
        signer = TRUSTEE_SIGNERS[i - 1]
        release = build_release(
            suite,
            tender_id=TENDER_ID,
            root=root,
            size=1_700_000_123,
            opening_nonce=nonce,
            envelope=1,
            i=i,
            mode=mode,
            items=items,
            key=signer,
        )
        inputs = {
            "tender_id": TENDER_ID.hex(),
            "root": root.hex(),
            "size": 1_700_000_123,
            "opening_nonce": nonce.hex(),
            "sign_seed": signer.seed.hex(),
            "envelope": 1,
            "i": i,
            "mode": mode,
            "items": [
                {"bid_id": bid.hex(), "status": status, "share": share.hex()}
                for bid, status, share in items
            ],
        }
        shown.append(_message(inputs, release, signer.public))
    return shown


def _acks(digest: bytes) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = []
    for kind, result, received_ms, signed_ms in (
        (1, 0, CREATED_MS, CREATED_MS),
        (3, 1, CREATED_MS, CREATED_MS + 1234),
        (7, 5, 0, 0),
    ):
        ack = build_ack(
            RECEIPT_KEY, TENDER_ID, kind, digest, result, received_ms, signed_ms=signed_ms
        )
        inputs = {
            "tender_id": TENDER_ID.hex(),
            "sign_seed": RECEIPT_KEY.seed.hex(),
            "kind": kind,
            "message_sha256": digest.hex(),
            "result": result,
            "server_ms": received_ms,
            "signed_ms": signed_ms,
            "integrate_by_ms": ack.integrate_by_ms,
        }
        shown.append(_message(inputs, ack, RECEIPT_KEY.public))
    return shown


def keyfiles_json() -> list[dict[str, object]]:
    """The second passphrase is written in NFD; both spell the same key (NFC)."""
    salt, nonce = octets("salt", 16), octets("nonce", 24)
    shown: list[dict[str, object]] = []
    for passphrase in ("开标 Café 2026", "开标 Cafe\u0301 2026"):
        raw = create_keyfile(passphrase, TENDER_ID, BIDDER.seed, BIDDER_BOX.seed, salt, nonce)
        shown.append(
            {
                "passphrase": passphrase,
                "tender_id": TENDER_ID.hex(),
                "sign_seed": BIDDER.seed.hex(),
                "xpk_seed": BIDDER_BOX.seed.hex(),
                "salt": salt.hex(),
                "nonce": nonce.hex(),
                "file": raw.decode(),
            }
        )
    return shown


def _message(
    inputs: dict[str, object], message: Any, signer: bytes | None = None
) -> dict[str, Any]:
    return {
        "inputs": inputs,
        "raw": message.raw.hex(),
        "digest": message.digest.hex(),
        "signer": signer.hex() if signer else None,
    }


def good_json(suite: Suite) -> dict[str, object]:
    """The whole file of one suite."""
    document: dict[str, object] = {
        "about": f"KBID1 under suite {suite.name}; shape in README.md",
        "suite": suite_json(suite),
        "envelopes": envelopes_json(suite),
        "messages": messages_json(suite),
    }
    if suite.id == NACL_1:
        # A key file belongs to a person, not to a suite.
        document["keyfiles"] = keyfiles_json()
    return document
