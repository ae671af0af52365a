"""What must work: envelopes with all inputs and all bytes, and the whole file of a suite."""

import hashlib
from dataclasses import fields, replace
from typing import Any

from kbid1_messages import keyfiles_json, messages_json
from kbid1_tender import (
    CREATED_MS,
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

from crypto.errors import Rejected
from crypto.header import EnvelopeTerms, accept_header, core_size
from crypto.layout import layout_of
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
