"""The manifest: any change in any place is read or refused, never half of it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.canonical import INTEGER_MAX, encode
from crypto.entries import decode_entry
from crypto.errors import Rejected
from crypto.manifest import (
    Manifest,
    encode_manifest,
    encode_manifest_signatures,
    parse_manifest,
    parse_manifest_signatures,
)
from crypto.manifest_parts import Label
from crypto.objects.tender import MANIFEST as SCHEMA
from crypto.registration import (
    bind_message,
    check_registration,
    invite_message,
    organisation_hash,
)
from tests.crypto.format_vectors import (
    AGENCY,
    BIDDER,
    BIDDER_BOX,
    MANIFEST,
    PURCHASER,
    RECEIPT_KEY,
    SUPERVISOR,
    document,
    entry,
)

VALUE: dict[str, Any] = json.loads(document("manifest"))
JUNK = st.sampled_from(
    [None, True, 0, 1, -1, 2**32, INTEGER_MAX, "", "x", "00" * 32, "１", [], {}, [0], {"a": 1}]
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path into a JSON value."""
    if path:
        yield path
    if isinstance(value, dict | list):
        steps = value.keys() if isinstance(value, dict) else range(len(value))
        for step in steps:
            yield from places(value[step], (*path, step))


PLACES = list(places(VALUE))


def put(path: tuple[Any, ...], to: Any) -> dict[str, Any]:
    whole = json.loads(json.dumps(VALUE))
    inside = whole
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = to
    return whole


@settings(max_examples=500)
@given(st.sampled_from(PLACES), JUNK)
def test_anything_in_any_place_is_read_or_refused(path: tuple[Any, ...], to: Any) -> None:
    raw = encode(put(path, to))
    try:
        manifest = parse_manifest(raw)
    except Rejected:
        return
    assert manifest.raw == raw


def test_attributes_have_the_names_of_the_members() -> None:
    assert {name for name in SCHEMA.members if not hasattr(MANIFEST, name)} == set()
    assert MANIFEST.host_receipt_pk.hex() == VALUE["host_receipt_pk"]
    assert MANIFEST.trustees[2].spk.hex() == VALUE["trustees"][2]["spk"]
    assert MANIFEST.envelope(1).fields[0].label == Label("Bid price", "投标报价")
    assert MANIFEST.envelope(2).fields == ()
    assert MANIFEST.parent is None
    assert MANIFEST.trustees[0].ca is None


def test_a_certified_trustee_and_a_later_round_are_read() -> None:
    value = put(("parent",), "ab" * 32)
    value["trustees"][0]["ca"] = {"chain": ["3082", "3081"], "sig": "cd" * 64}
    manifest = parse_manifest(encode_manifest(value))
    assert manifest.parent == b"\xab" * 32
    assert manifest.trustees[0].ca is not None
    assert manifest.trustees[0].ca.chain == (b"\x30\x82", b"\x30\x81")


def test_every_key_of_the_manifest_may_stand_in_one_place_only() -> None:
    """Each pair of key members, made equal, is refused."""
    keys = [path for path in PLACES if path[-1] in ("xpk", "spk", "pk", "host_receipt_pk")]
    assert len(keys) == 11
    for first in keys:
        for second in keys:
            if first != second:
                source = VALUE
                for step in first:
                    source = source[step]
                with pytest.raises(Rejected, match=r"manifest\.keys"):
                    parse_manifest(encode(put(second, source)))


def test_terms_are_those_of_the_envelope() -> None:
    terms = MANIFEST.terms(1, b"p" * 32, b"x" * 32)
    assert (terms.kind, terms.log2_chunk, terms.pt_len_max, terms.t) == ("form", 16, 65_536, 2)
    assert terms.trustee_xpks == tuple(trustee.xpk for trustee in MANIFEST.trustees)
    assert set(terms.lots) == {1}
    assert (terms.bidder_pk, terms.bidder_xpk, terms.demo) == (b"p" * 32, b"x" * 32, True)
    assert terms.tender_id == MANIFEST.tender_id


def test_terms_name_trustees_in_the_order_of_the_envelope() -> None:
    manifest = parse_manifest(encode_manifest(put(("envelopes", 0, "trustees"), [3, 1, 2])))
    assert [trustee.name for trustee in manifest.trustees_of(1)] == ["赵强", "李明", "王芳"]
    assert manifest.terms(1, b"", b"").trustee_xpks[0] == manifest.trustees[2].xpk


def test_envelopes_and_sessions_are_found_by_number() -> None:
    assert MANIFEST.session(1) == MANIFEST.session_of(2)
    for find, number in ((MANIFEST.envelope, 3), (MANIFEST.session, 2), (MANIFEST.session_of, 3)):
        with pytest.raises(Rejected, match=r"manifest\.no_"):
            find(number)


def test_a_manifest_that_would_be_refused_is_not_written() -> None:
    with pytest.raises(Rejected, match=r"manifest\.lots"):
        encode_manifest(put(("lots", 0, "lot"), 0) | {"lots": [VALUE["lots"][0]] * 2})


def test_signatures_need_both_sides() -> None:
    def signed(*signers: Any, of: Manifest = MANIFEST) -> bytes:
        return encode_manifest_signatures(of.tender_id, signers)

    for side in (("agency", AGENCY), ("purchaser", PURCHASER)):
        found = parse_manifest_signatures(
            signed(side, ("supervisor", SUPERVISOR), of=WITH_PURCHASER), WITH_PURCHASER
        )
        assert [each.role for each in found] == [side[0], "supervisor"]
    one_side = signed(("agency", AGENCY), ("purchaser", PURCHASER), of=WITH_PURCHASER)
    with pytest.raises(Rejected, match=r"manifest_signature\.roles"):
        parse_manifest_signatures(one_side, WITH_PURCHASER)


_OFFICERS = [
    *VALUE["officers"],
    {
        "role": "purchaser",
        "code": "91360800MA00000022",
        "name": "刘芸",
        "pk": PURCHASER.public.hex(),
    },
]
WITH_PURCHASER = parse_manifest(encode_manifest(put(("officers",), _OFFICERS)))


def registration(manifest: Manifest = MANIFEST, **changes: Any) -> dict[str, Any]:
    """The example bidder's registration, signed for ``manifest``."""
    members: dict[str, Any] = dict(decode_entry(entry("BIDDER_REG")).members)
    claims = (manifest.tender_id, BIDDER.public, BIDDER_BOX.public, members["expiry_ms"])
    org_sha256 = bytes.fromhex(members["org_sha256"])
    members["tender_id"] = manifest.tender_id.hex()
    members["sig"] = BIDDER.sign(bind_message(*claims, org_sha256)).hex()
    invitation = RECEIPT_KEY.sign(invite_message(*claims, org_sha256)).hex()
    members["binding"] = members["binding"] | {"sig": invitation}
    return members | changes


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tender_id": "00" * 32}, "tender"),
        ({"bidder_xpk": "00" * 32}, "keys"),
        ({"bidder_pk": "01" + "00" * 31}, "possession"),
        ({"expiry_ms": 1}, "possession"),
        ({"org_sha256": organisation_hash("91360800MA00000055").hex()}, "possession"),
        ({"sig": "00" * 64}, "possession"),
    ],
)
def test_a_registration_about_something_else_is_refused(changes: Any, code: str) -> None:
    with pytest.raises(Rejected, match=rf"registration\.{code}"):
        check_registration(registration(**changes), MANIFEST)


def test_an_invitation_is_signed_by_the_receipt_key() -> None:
    check_registration(registration(), MANIFEST)
    binding: Any = registration()["binding"]
    for change in ({"pk": SUPERVISOR.public.hex()}, {"sig": registration()["sig"]}):
        with pytest.raises(Rejected, match=r"registration\.invitation"):
            check_registration(registration(binding=binding | change), MANIFEST)


def test_a_tender_may_refuse_keys_without_a_certificate() -> None:
    strict = put(("uncertified_allowed",), False)
    for trustee in strict["trustees"]:
        trustee["ca"] = {"chain": ["00"], "sig": "00" * 64}
    manifest = parse_manifest(encode_manifest(strict))
    with pytest.raises(Rejected, match=r"registration\.uncertified"):
        check_registration(registration(manifest), manifest)
    binding = {"kind": "certificate", "chain_sha256": "00" * 32, "sig": "00" * 64}
    check_registration(registration(manifest, binding=binding), manifest)
