"""The values of sealing.md 4.2 and 4.5 in full, typed from the document and not from our code."""

import hashlib

import pytest

from crypto.header import accept_header, describe, parse_header
from crypto.sealing import (
    Sealed,
    bidder_half_matches,
    content_key,
    deal_check,
    open_payload,
    seal_bytes,
    unseal_seed,
)
from crypto.shares import find_host_half, open_share
from crypto.stream import chunk_sizes
from crypto.suites import NACL_1, get_suite
from tests.crypto.sealing_examples import BIDDER, BIDDER_BOX, TRUSTEES, a_body, a_form

NACL = get_suite(NACL_1)
PRICE = b'{"price":"71000000.00"}'
SHARES = [
    "62dfd93c8d9922b8434f18427bd2c394976717c9bb9f8fa61d4f76f0cce7a80a",
    "416c38777d995492078df2d06df42bf2107ee1e6ea16e355150e52fb8645e504",
    "0dcd8c0e88fc98c4a167c4023f1073648a94ab041a8e36050dcd2d0641a3210f",
]
BOX_B = (
    "d6802da2ef75782d74b1f173bf7b0514aa9439b9030a8c0f59fd6df07a7bcb3a8dc9773ca065ca3e25ea357da693c2"
    "59a34fbd8462cceb1216aab345dc4bd72d79b4ecc4d616aafde66b211882988508"
)
BOX_1 = (
    "0626f615c8080911b556097b685a2809008150a60bb54cb0a9c179d9591d414478f9b42d47f0b7da175438e1afb21a"
    "0474c191dab8f442dc99999a9dc7e35be5d905985a403e8efa2d03448cfa9f02fc78a0f92f37f282ba7c69fffb5261"
    "4bde38f16e885e4639ecffefd946229f1ab6"
)
SIGNATURE = (
    "bf910e0452a6adb460fd6bf311e5fbc8faae7668d6af41ab496f0c06fd85d561d6b8cffb77eec44579c20605fb84bd"
    "5133fef2ae0b855662c47178a22e7d340b"
)


@pytest.fixture(scope="module")
def body() -> Sealed:
    return seal_bytes(
        a_body(NACL),
        PRICE + bytes(150_000),
        lot=1,
        created_ms=1_700_000_000_000,
        bid_nonce=b"n" * 16,
        seed=b"s" * 32,
        key=BIDDER,
    )


@pytest.fixture(scope="module")
def form() -> Sealed:
    return seal_bytes(
        a_form(NACL),
        (PRICE + b"\x80").ljust(4096, b"\x00"),
        lot=1,
        created_ms=1_700_000_000_000,
        bid_nonce=b"m" * 16,
        seed=b"t" * 32,
        key=BIDDER,
    )


def test_the_key_schedule_gives_the_published_values(body: Sealed):
    header = body.header
    key = content_key(header, body.bidder_half, body.host_half)
    assert key is not None
    found = {
        "AD": header.ad,
        "s_B": body.bidder_half,
        "s_H": body.host_half,
        "K": key.K,
        "c_K": header.c_K,
        "c_B": header.c_B,
        "c_P": header.c_P,
        "r_P": key.r_P,
        "ct_root": header.ct_root,
    }
    assert {name: value.hex() for name, value in found.items()} == {
        "AD": "069bb8f899d5ca1c022f01b71193e63fd27e00f9952d7183220718f315f9ae30",
        "s_B": "2218b116949bfb0d1c581dd3be4ee40b1a4508f41ef1ced7b0365e4218f141d9",
        "s_H": "967e85a58236de85a9744610aab67c221e514dab8c283cf725909ae5128a6c00",
        "K": "64ea3cd99b582e6ad56fcc2d89aacec392df9c6f77bdac8ab4995031896af7e1",
        "c_K": "16a9571fdd48edfe0c921a63eb414fa34ef66fa995bcbc4c12fabf3b6f72fa28",
        "c_B": "9537435d86e57a6d30351a81c78f2f5a9ad1ac1a4c959d2b06c0917864e8eb61",
        "c_P": "cd2a9b9233e495495cd83b69f336384f883325e7a56bd0c748668a569525f59b",
        "r_P": "ade247ffcc004e7c1f0d46a15e19ab648bef1f457accad1c589898b2992476ac",
        "ct_root": "1e478fa887936045bdd60837f97d23c335b333b208830dfe2241b5cc38e7ff2e",
    }


def test_every_byte_of_the_header_is_the_published_one(body: Sealed):
    raw = body.header.raw
    assert len(raw) == 900
    assert hashlib.sha256(raw).hexdigest() == (
        "4c2c71fa43164475f410ecce94049db64908e013fd421f74047ef5096ff1902c"
    )
    assert body.header.bid_id.hex() == (
        "e3f3c0dcca282d2dd64a739ccbd952a910f003b8046d1f9f9858315a5773be77"
    )
    assert raw[-64:].hex() == SIGNATURE
    assert raw[320:400].hex() == BOX_B
    assert raw[436:548].hex() == BOX_1


def test_the_fields_lie_at_the_published_offsets(body: Sealed):
    header, raw = body.header, body.header.raw
    at = {
        (0, 8): b"\x89KBID\r\n\x1a",
        (8, 10): (1).to_bytes(2, "big"),
        (10, 12): NACL_1.to_bytes(2, "big"),
        (12, 16): (900).to_bytes(4, "big"),
        (16, 48): header.tender_id,
        (48, 52): header.lot.to_bytes(4, "big"),
        (52, 56): header.envelope.to_bytes(4, "big"),
        (56, 88): header.bidder_pk,
        (88, 120): header.bidder_xpk,
        (120, 136): header.bid_nonce,
        (136, 144): header.created_ms.to_bytes(8, "big"),
        (144, 152): header.pt_len.to_bytes(8, "big"),
        (152, 156): header.log2_chunk.to_bytes(4, "big"),
        (156, 160): header.n_chunks.to_bytes(4, "big"),
        (160, 192): header.c_B,
        (192, 224): header.c_H,
        (224, 256): header.c_K,
        (256, 288): header.c_P,
        (288, 320): header.ct_root,
        (320, 400): header.box_B,
        (400, 401): b"\x02",
        (401, 402): b"\x03",
        (402, 404): b"\x00\x00",
        (404, 436): TRUSTEES[0].public,
        (548, 580): TRUSTEES[1].public,
        (836, 900): header.sig,
    }
    assert {place: raw[slice(*place)] for place in at} == at


def test_the_keys_are_the_published_ones():
    assert BIDDER.public.hex() == (
        "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
    )
    assert BIDDER_BOX.public.hex() == (
        "9c25f8abddf96bd88491cc211528f3429f2e8886712f01f89324c47c5643ac20"
    )
    assert [key.public.hex() for key in TRUSTEES[:3]] == [
        "1b1b58dd50ea14b60da17b790cd02754d970c9bab864ebb3c0f3016fe51d3f57",
        "60346e7c911a5f6ba154129174cafe75b294ac3bbd5549632f48cec6266f8410",
        "75e270df2952c57ba8367ba8618c178f9fe50db2799d304e74e918d985686146",
    ]


def test_trustees_open_the_published_shares_and_any_two_give_the_host_half(body: Sealed):
    answers = [open_share(body.header, i, TRUSTEES[i - 1]) for i in (1, 2, 3)]
    assert [(status, share.hex()) for status, share in answers] == [(0, share) for share in SHARES]
    for pair in ((1, 2), (1, 3), (2, 3)):
        found = find_host_half(body.header, {i: answers[i - 1][1] for i in pair})
        assert found is not None
        assert (found.host_half, found.subset) == (body.host_half, pair)
    assert deal_check(body.header, body.host_half)


def test_the_payload_is_the_published_one_and_opens(body: Sealed):
    assert hashlib.sha256(body.payload).hexdigest() == (
        "6ef764605b7fecf694385a614c7ede3d02d18fa888d7c8654b34d7d1edf837ac"
    )
    assert list(chunk_sizes(NACL, 150_023, 16)) == [65_552, 65_552, 18_967]
    assert unseal_seed(body.header, BIDDER_BOX) == b"s" * 32
    assert bidder_half_matches(body.header, body.bidder_half)
    key = content_key(body.header, body.bidder_half, body.host_half)
    assert key is not None
    assert open_payload(body.header, key, body.payload) == PRICE + bytes(150_000)


def test_the_form_gives_the_published_values_and_is_accepted(form: Sealed):
    header = accept_header(form.header.raw, a_form(NACL))
    assert header.c_P.hex() == "bef9edb698e44141e78d19e16d805276fbfd208919a4ab67ab4baaf6e83a51c0"
    assert header.ct_root.hex() == (
        "673af0d6d9177adbfbc0370f032c739a503e8c68bcfc9e2d1e6be68f08b5e490"
    )
    assert header.bid_id.hex() == (
        "7aa14e9f5cbe240cb434c77c32a07952fd05f088c5b7ac652934356244fd97a6"
    )


def test_inspection_shows_the_members_that_formats_name(form: Sealed):
    members = describe(parse_header(form.header.raw))
    names = """
        magic version suite header_len tender_id lot envelope bidder_pk bidder_xpk bid_nonce
        created_ms pt_len log2_chunk n_chunks c_B c_H c_K c_P ct_root box_B t n trustees sig bid_id
    """
    assert list(members) == names.split()
    assert members["magic"] == "894b4249440d0a1a"
    assert members["header_len"] == 900
    rows = members["trustees"]
    assert isinstance(rows, list)
    assert [set(row) for row in rows] == [{"xpk", "box"}] * 3
