"""The salamander of sealing.md §3 through the real path, and payloads of a wrong size."""

from kbid1_forge import Forge, forge_of
from kbid1_hostile_envelopes import envelope_case, root_of
from kbid1_tender import (
    TRUSTEES,
    a_form,
    octets,
    recipe_json,
)
from salamander import two_key_ciphertext

from crypto.errors import Rejected
from crypto.header import Header, accept_header
from crypto.schedule import (
    bidder_commitment,
    bidder_half,
    coefficients,
    host_commitment,
    host_half,
    key_and_commitment,
    plaintext_blind,
    plaintext_commitment,
    trustee_ephemeral,
)
from crypto.sealing import (
    Sealed,
)
from crypto.stream import RootHasher
from crypto.suites import Suite

Json = dict[str, object]


def salamanders(form: Sealed) -> Json:
    """§3: a ciphertext that reads two prices, bare and through the whole path."""
    header, suite = form.header, form.header.suite
    prices = (b"PRICE=99,000,000", b"PRICE=71,000,000")
    nonce = bytes(11) + b"\x01"
    seeds = [octets(f"salamander {index}", suite.seed_size) for index in range(2)]
    halves = [(bidder_half(suite, seed), host_half(suite, seed)) for seed in seeds]
    keys = [key_and_commitment(suite, header.ad, *pair) for pair in halves]
    K = (keys[0][0], keys[1][0])
    bare = two_key_ciphertext(K, prices, nonce, 64)
    payload = two_key_ciphertext(K, prices, nonce, header.pt_len)
    for size, ciphertext in ((64, bare), (header.pt_len, payload)):
        for at, (key, price) in enumerate(zip(K, prices, strict=True)):
            plaintext = suite.cipher(key).open(0, True, ciphertext)
            assert plaintext is not None
            assert plaintext[at * 16 : at * 16 + 16] == price
            assert len(plaintext) == size
    raw = _salamander_header(forge_of(form), header, halves[1], keys[0][1], payload)
    sealed = Sealed(accept_header(raw, a_form(suite)), payload, *halves[1])
    return {
        "keys": [key.hex() for key in K],
        "prices": [price.decode() for price in prices],
        "nonce": nonce.hex(),
        "bare": bare.hex(),
        "envelope": envelope_case("salamander", raw, sealed, "content_key", payload=payload),
    }


def _salamander_header(
    forge: Forge, header: Header, halves: tuple[bytes, bytes], c_K: bytes, payload: bytes
) -> bytes:
    """All is made for the second key, but c_K names the first: tags and ct_root are right."""
    suite, ad, (s_B, s_H) = header.suite, header.ad, halves
    K, _ = key_and_commitment(suite, ad, s_B, s_H)
    plaintext = suite.cipher(K).open(0, True, payload)
    assert plaintext is not None
    inner = suite.plaintext_hash()
    inner.update(plaintext)
    polynomial = coefficients(suite, ad, s_H, header.t)
    rows = [
        (
            trustee.public,
            suite.box_seal(
                suite.share_at(polynomial, i) + ad,
                trustee.public,
                trustee_ephemeral(suite, ad, s_H, i),
            ),
        )
        for i, trustee in enumerate(TRUSTEES[: header.n], 1)
    ]
    return forge.raw(
        rows=rows,
        c_B=bidder_commitment(suite, ad, s_B),
        c_H=host_commitment(suite, ad, s_H),
        c_K=c_K,
        c_P=plaintext_commitment(suite, plaintext_blind(suite, ad, s_B, s_H), inner.digest()),
        ct_root=root_of(header, payload),
    )


def payload_cases(form: Sealed, body: Sealed) -> list[Json]:
    """ct_root of bytes as they arrive: refused at the first byte too many, no root while short."""
    suite: Suite = form.header.suite
    cases: list[Json] = []
    step = 65_536 + suite.tag_size
    for name, pt_len, size, expect in (
        ("one chunk", 4096, 4096 + suite.tag_size, "ok"),
        ("two full chunks", 131_072, 2 * step, "ok"),
        ("three chunks, the last of one byte", 131_073, 2 * step + 1 + suite.tag_size, "ok"),
        ("seven chunks", 7 * 65_536, 7 * step, "ok"),
        ("empty plaintext", 0, suite.tag_size, "ok"),
        ("nothing came", 4096, 0, "payload.short"),
        ("one byte short", 4096, 4095 + suite.tag_size, "payload.short"),
        ("one byte too many", 4096, 4097 + suite.tag_size, "payload.excess"),
        ("last chunk missing", 131_072, step, "payload.short"),
        ("a third chunk of two", 131_072, 3 * step, "payload.excess"),
    ):
        hasher = RootHasher(suite, pt_len, 16)
        root, found = None, "ok"
        try:
            hasher.update(b"\x5a" * size)
            root = hasher.root().hex()
        except Rejected as refusal:
            found = refusal.code
        assert found == expect, name
        cases.append(
            {
                "name": name,
                "pt_len": pt_len,
                "log2_chunk": 16,
                "payload": recipe_json([(b"\x5a", size)]),
                "expect": expect,
                "ct_root": root,
            }
        )
    return cases
