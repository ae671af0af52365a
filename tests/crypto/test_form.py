"""The form: padding, and fields as the manifest names them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.canonical import encode
from crypto.errors import Rejected
from crypto.form import encode_form, pad, parse_form, parse_padded_form, unpad
from crypto.manifest import Manifest, encode_manifest, parse_manifest, trustee_message
from tests.crypto.format_vectors import GOOD, MANIFEST, Place, document, signing_key

OTHERS = [(number, bytes.fromhex(bid_id)) for number, bid_id in GOOD["form"]["others"]]
BIDDER = ("91360800MA00000044", "澄江路桥建设（江州）有限公司")
FIELDS: dict[str, str | int] = {"days": 160, "manager": "何川", "price": "71000000.00"}
TRACES = {"deposit_account": "", "file_id": "f", "lock_numbers": ["1"], "machine_code": ""}


def a_manifest(**changes: Any) -> Manifest:
    return parse_manifest(encode_manifest(json.loads(document("manifest")) | changes))


@given(st.binary(max_size=300), st.sampled_from([1, 16, 64, 4096]))
def test_padding_is_taken_off_again(data: bytes, block: int) -> None:
    padded = pad(data, block)
    assert len(padded) % block == 0
    assert len(data) < len(padded) <= len(data) + block
    assert unpad(padded, block) == data


@given(st.binary(min_size=64, max_size=64))
def test_what_unpads_is_the_padding_of_what_comes_out(padded: bytes) -> None:
    """One spelling: no two padded texts of one length mean the same."""
    try:
        data = unpad(padded, 64)
    except Rejected:
        return
    assert pad(data, 64) == padded


def test_the_example_is_written_and_read() -> None:
    raw = encode_form(MANIFEST, Place(), bidder=BIDDER, fields=FIELDS, others=OTHERS)
    assert raw == document("form")
    form = parse_padded_form(pad(raw), MANIFEST, Place(), OTHERS)
    assert (form.bidder_code, form.bidder_name, form.lot) == (*BIDDER, 1)
    assert form.fields == FIELDS
    assert form.decisive == form.values["price"] == 7_100_000_000


def test_others_are_written_ascending_and_read_in_any_order() -> None:
    others = [(3, b"\x01" * 32), (2, b"\x02" * 32)]
    raw = encode_form(MANIFEST, Place(), bidder=BIDDER, fields=FIELDS, others=others)
    assert parse_form(raw, MANIFEST, Place(), others[::-1]).raw == raw
    assert [other["envelope"] for other in json.loads(raw)["others"]] == [2, 3]


def test_traces_are_there_exactly_if_the_manifest_asks() -> None:
    asking = a_manifest(traces=True)
    raw = encode_form(asking, Place(), bidder=BIDDER, fields=FIELDS, others=OTHERS, traces=TRACES)
    assert raw != document("form")
    assert parse_form(raw, asking, Place(), OTHERS).members["traces"] == TRACES
    with pytest.raises(Rejected, match=r"form\.traces"):
        parse_form(document("form"), asking, Place(), OTHERS)
    with pytest.raises(Rejected, match=r"form\.traces"):
        parse_form(raw, MANIFEST, Place(), OTHERS)


def two_forms() -> Manifest:
    """Envelope 3 is a second form, with a rate that decides and a text that may be absent."""
    value = json.loads(document("manifest"))
    label = {"en": "x", "zh": "x"}
    rate = {"name": "rate", "type": "rate", "label": label, "decides": True, "optional": False}
    note = {"name": "note", "type": "text", "label": label, "decides": False, "optional": True}
    fields = [rate | {"digits": 2}, note | {"max": 10}]
    value["envelopes"].append(value["envelopes"][0] | {"envelope": 3, "fields": fields})
    value["sessions"].append(value["sessions"][0] | {"session": 2, "envelopes": [3]})
    for number, trustee in enumerate(value["trustees"], start=1):
        resign(trustee, number)
    return parse_manifest(encode_manifest(value))


def resign(trustee: dict[str, Any], number: int) -> None:
    trustee["envelopes"] = [1, 2, 3]
    xpk, spk = bytes.fromhex(trustee["xpk"]), bytes.fromhex(trustee["spk"])
    message = trustee_message(trustee["expiry_ms"], xpk, spk, [1, 2, 3])
    trustee["proof"] = signing_key(0x10 + number).sign(message).hex()


def test_a_later_form_names_no_others_and_may_leave_out_what_is_optional() -> None:
    manifest, place = two_forms(), Place(envelope=3)
    fields: dict[str, str | int] = {"rate": "95.50"}
    raw = encode_form(manifest, place, bidder=BIDDER, fields=fields, others=[])
    form = parse_form(raw, manifest, place, OTHERS)
    assert (form.decisive, dict(form.values)) == (9550, {"rate": 9550})
    with pytest.raises(Rejected, match=r"form\.others"):
        parse_form(document("form"), manifest, place, OTHERS)


def test_a_form_that_would_be_malformed_is_not_written() -> None:
    with pytest.raises(Rejected, match=r"money\.form"):
        encode_form(
            MANIFEST, Place(), bidder=BIDDER, fields=FIELDS | {"price": "1.0"}, others=OTHERS
        )


def test_an_envelope_that_is_a_body_holds_no_form() -> None:
    raw = encode(json.loads(document("form")) | {"others": []})
    with pytest.raises(Rejected, match=r"form\.envelope"):
        parse_form(raw, MANIFEST, Place(envelope=2), [])
