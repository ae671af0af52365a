"""The verifier's plain-Python cryptography against the standards' own vectors and libsodium."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from crypto.keys import SigningKey
from crypto.verifier.kaibiao_verify.primitives import (
    chacha,
    ed25519,
    hashes,
    poly1305,
    salsa,
    shamir,
    x25519,
)

# RFC 8032, 7.1: TEST 1, 2, 3, SHA(abc).
RFC8032 = (
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b4"
        "6bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d"
        "8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6"
        "594a7c15e9716ed28dc027beceea1ec40a",
    ),
)
PLAIN = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)


@pytest.mark.parametrize(("public", "message", "signature"), RFC8032)
def test_ed25519_accepts_the_signatures_of_rfc_8032(
    public: str, message: str, signature: str
) -> None:
    key, text, good = (bytes.fromhex(one) for one in (public, message, signature))
    assert ed25519.verify(key, text, good)
    for place in range(64):
        bad = bytearray(good)
        bad[place] ^= 1
        assert not ed25519.verify(key, text, bytes(bad))
    assert not ed25519.verify(key, text + b"x", good)


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200))
def test_ed25519_agrees_with_libsodium(seed: bytes, message: bytes) -> None:
    key = SigningKey(seed)
    assert ed25519.verify(key.public, message, key.sign(message))
    assert not ed25519.verify(key.public, message + b"\0", key.sign(message))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**256 - 1))
def test_the_base_table_is_the_general_multiplication(scalar: int) -> None:
    base = ed25519.decode(bytes.fromhex("58" + "66" * 31))
    assert base is not None
    table = ed25519.encode(ed25519.multiply_base(scalar))
    assert table == ed25519.encode(ed25519.multiply(scalar, base))


def test_points_outside_the_subgroup_are_no_keys() -> None:
    base = ed25519.decode(bytes.fromhex("58" + "66" * 31))
    order_8 = ed25519.decode(
        bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
    )
    assert base is not None
    assert order_8 is not None
    assert ed25519.is_valid_public(ed25519.encode(base))
    assert not ed25519.is_valid_public(ed25519.encode(ed25519.add(base, order_8)))
    assert not ed25519.is_valid_public(ed25519.encode(order_8))
    assert not ed25519.is_valid_public(ed25519.encode(ed25519.IDENTITY))
    assert ed25519.decode((ed25519.P + 1).to_bytes(32, "little")) is None, "not canonical"
    assert ed25519.decode((1 | 1 << 255).to_bytes(32, "little")) is None, "negative zero"


def test_x25519_gives_the_shared_secrets_of_rfc_7748() -> None:
    # 5.2, both vectors.
    for secret, public, expected in (
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
        ),
    ):
        found = x25519.shared(bytes.fromhex(secret), bytes.fromhex(public))
        assert found.hex() == expected


@settings(max_examples=30, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_x25519_agrees_with_libsodium(secret: bytes, other: bytes) -> None:
    public = bindings.crypto_scalarmult_base(other)
    assert x25519.public_of(secret) == bindings.crypto_scalarmult_base(secret)
    assert x25519.shared(secret, public) == bindings.crypto_scalarmult(secret, public)


def test_low_order_box_keys_give_a_zero_secret_and_are_known() -> None:
    for u in sorted(x25519.LOW_ORDER):
        public = u.to_bytes(32, "little")
        assert x25519.is_low_order(public)
        for secret in (b"\x01" * 32, b"\xff" * 32, bytes(range(32))):
            assert x25519.shared(secret, public) == bytes(32)
    assert not x25519.is_canonical(x25519.P.to_bytes(32, "little"))


def test_chacha20_poly1305_opens_the_text_of_rfc_8439() -> None:
    # 2.8.2.
    key, nonce = bytes(range(0x80, 0xA0)), bytes.fromhex("070000004041424344454647")
    associated = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    sealed = bytes.fromhex(
        "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92"
        "728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b"
        "4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691"
    )
    assert chacha.decrypt(key, nonce, sealed, associated) == PLAIN
    assert chacha.decrypt(key, nonce, sealed, associated + b"\0") is None
    assert chacha.decrypt(key, nonce, sealed[:-1] + b"\0", associated) is None


def test_chacha20_gives_the_key_stream_of_rfc_8439() -> None:
    # 2.4.2: block counter from 1, two blocks.
    nonce = bytes.fromhex("000000000000004a00000000")
    text = chacha.xor(PLAIN, chacha.keystream(bytes(range(32)), 1, nonce, 2)[: len(PLAIN)])
    assert text.hex().startswith("6e2e359a2568f98041ba0728dd0d6981e97e7aec1d4360c20a27afccfd9fae0b")
    assert text.hex().endswith("5af90bbf74a35be6b40b8eedf2785e42874d")


def test_poly1305_gives_the_tag_of_rfc_8439() -> None:
    # 2.5.2.
    key = bytes.fromhex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b")
    tag = poly1305.poly1305(key, b"Cryptographic Forum Research Group")
    assert tag.hex() == "a8061dc1305136c6c22b8baf0c0127a9"


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 300), st.binary(min_size=44, max_size=44))
def test_chacha20_poly1305_agrees_with_libsodium(size: int, drawn: bytes) -> None:
    key, nonce, plain = drawn[:32], drawn[32:], bytes(size)
    sealed = bindings.crypto_aead_chacha20poly1305_ietf_encrypt(plain, None, nonce, key)
    assert chacha.decrypt(key, nonce, sealed) == plain


@settings(max_examples=20, deadline=None)
@given(st.binary(max_size=150), st.binary(min_size=32, max_size=32))
def test_boxes_agree_with_libsodium(message: bytes, secret: bytes) -> None:
    public, nonce = bindings.crypto_scalarmult_base(b"\x07" * 32), bytes(range(24))
    # libsodium's box is tag ‖ ciphertext too, without the zero bytes of NaCl.
    assert salsa.box(secret, public, nonce, message) == bindings.crypto_box(
        message, nonce, public, secret
    )
    sealed = salsa.deterministic_seal(message, public, secret)
    assert bindings.crypto_box_seal_open(sealed, public, b"\x07" * 32) == message


def test_blake2b_takes_size_and_key_as_parameters() -> None:
    found = hashes.labelled("KBID1 key", b"AD", key=b"k" * 64, size=64)
    state = hashlib.blake2b(b"KBID1 key\0AD", key=b"k" * 64, digest_size=64)
    assert found == state.digest()
    assert hashes.blake2b(b"x", size=32) != hashes.blake2b(b"x", size=64)[:32]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, ed25519.L - 1), min_size=3, max_size=3))
def test_any_three_shares_of_a_quadratic_give_its_secret(coefficients: list[int]) -> None:
    shares = {i: shamir.evaluate(coefficients, i) for i in range(1, 6)}
    for chosen in ((1, 2, 3), (5, 1, 3), (4, 2, 5)):
        assert shamir.combine({i: shares[i] for i in chosen}) == coefficients[0]


def test_scalars_of_l_or_more_are_refused() -> None:
    assert shamir.scalar((ed25519.L - 1).to_bytes(32, "little")) == ed25519.L - 1
    assert shamir.scalar(ed25519.L.to_bytes(32, "little")) is None
    assert shamir.scalar(b"\xff" * 32) is None
    assert shamir.scalar(bytes(31)) is None
