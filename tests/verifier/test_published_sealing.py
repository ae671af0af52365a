"""The vector files of the sealing format, through the verifier's own code."""

from collections.abc import Callable
from typing import Any

import pytest

from crypto.verifier.kaibiao_verify.header import BadHeader, accept_header, read_header
from crypto.verifier.kaibiao_verify.manifest import Manifest
from crypto.verifier.kaibiao_verify.messages import (
    BadLayout,
    read_ack,
    read_card,
    read_release,
    read_submit,
    read_unlock,
)
from crypto.verifier.kaibiao_verify.primitives import ed25519, shamir, x25519
from crypto.verifier.kaibiao_verify.sealing import (
    bidder_half_matches,
    content_key,
    deal_check,
    find_host_half,
    host_half_matches,
    is_intact,
    open_payload,
    shares_of,
)
from tests.crypto.vector_files import (
    CURVES,
    GOOD,
    HOSTILE,
    Json,
    expanded,
    hostile,
    octets,
    stored_payload,
)

SEALING = GOOD["kbid1.json"]


MESSAGES: dict[str, Callable[[bytes], Any]] = {
    "submit": read_submit,
    "unlock": read_unlock,
    "release": read_release,
    "ack": read_ack,
    "card_unlock": lambda raw: read_card(raw, b"KBIDCRD1"),
    "self_release": lambda raw: read_card(raw, b"KBIDSLF1"),
}


class Terms(Manifest):
    """A manifest that says about one envelope what a vector's `terms` say."""

    def __init__(self, terms: Json) -> None:
        keys = list(dict.fromkeys(terms["trustee_xpks"]))
        envelope = {name: terms[name] for name in ("envelope", "kind", "log2_chunk", "t")}
        envelope |= {"pt_len_max": terms["pt_len_max"]}
        envelope |= {"trustees": [keys.index(key) + 1 for key in terms["trustee_xpks"]]}
        value = {
            "demo": terms["demo"],
            "lots": [{"lot": lot} for lot in terms["lots"]],
            "envelopes": [envelope],
            "trustees": [{"xpk": key} for key in keys],
        }
        super().__init__(b"", value)
        object.__setattr__(self, "named", bytes.fromhex(terms["tender_id"]))

    @property
    def tender_id(self) -> bytes:
        return self.named  # type: ignore[attr-defined]


def accepts(raw: bytes, terms: Json) -> bool:
    """C6 and the registered key, as `closing` asks for them."""
    try:
        header = read_header(raw)
        accept_header(header, Terms(terms), bytes.fromhex(terms["bidder_xpk"]))
    except BadHeader:
        return False
    return header.bidder_pk.hex() == terms["bidder_pk"]


@pytest.mark.parametrize("case", hostile(CURVES["signatures"]))
def test_a_signature_has_the_verdict_of_c16(case: Json) -> None:
    public, message, signature = octets(case, "public", "message", "signature")
    assert ed25519.verify(public, message, signature) is case["valid"]
    assert ed25519.is_valid_public(public) is case["public_valid"]


@pytest.mark.parametrize("case", hostile(CURVES["box_publics"]))
def test_a_box_key_has_the_verdict_of_c16(case: Json) -> None:
    public = bytes.fromhex(case["public"])
    assert (x25519.is_canonical(public) and not x25519.is_low_order(public)) is case["valid"]


@pytest.mark.parametrize("case", hostile(SEALING["envelopes"]))
def test_an_envelope_opens_to_what_was_sealed(case: Json) -> None:
    header = read_header(bytes.fromhex(case["header"]))
    assert accepts(header.raw, case["terms"]) is (case["accept"] == "ok")
    assert (header.ad.hex(), header.bid_id.hex()) == (case["ad"], case["bid_id"])
    s_B, s_H = octets(case, "s_B", "s_H")
    assert bidder_half_matches(header, s_B)
    assert deal_check(header, s_H)
    assert [share.hex() for share in shares_of(header, s_H)] == case["shares"]
    shares = {i: bytes.fromhex(share) for i, share in enumerate(case["shares"], 1)}
    assert find_host_half(header, shares, None) == (s_H, tuple(range(1, header.t + 1)))
    key = content_key(header, s_B, s_H)
    assert key is not None
    assert key.hex() == case["K"]
    if case["payload"] is not None:
        payload = bytes.fromhex(case["payload"])
        assert is_intact(header, payload)
        assert open_payload(header, s_B, s_H, payload) == expanded(case["inputs"]["plaintext"])


@pytest.mark.parametrize("case", hostile(HOSTILE["headers"]))
def test_a_hostile_header_is_refused(case: Json) -> None:
    assert not accepts(bytes.fromhex(case["header"]), HOSTILE["terms"][case["terms"]])


@pytest.mark.parametrize("case", hostile(HOSTILE["envelopes"]))
def test_a_hostile_envelope_dies_at_its_own_check(case: Json) -> None:
    raw, s_B, s_H = octets(case, "header", "s_B", "s_H")
    header, payload = read_header(raw), stored_payload(case["payload"])
    assert accepts(raw, HOSTILE["terms"][case["terms"]])
    checks: dict[str, Callable[[], bool]] = {
        "bidder_half": lambda: bidder_half_matches(header, s_B),
        "host_half": lambda: host_half_matches(header, s_H),
        "deal_check": lambda: deal_check(header, s_H),
        "content_key": lambda: content_key(header, s_B, s_H) is not None,
        "ct_root": lambda: is_intact(header, payload),
        "opened": lambda: open_payload(header, s_B, s_H, payload) is not None,
    }
    failed = next((name for name, holds in checks.items() if not holds()), None)
    # A tag and c_P fail in one step here: both make the bid malformed.
    opening = {"chunk.tag": "opened", "plaintext.commitment": "opened", "opened": None}
    assert failed == opening.get(case["expect"], case["expect"])


def test_a_salamander_dies_at_the_key_commitment() -> None:
    case = HOSTILE["salamanders"]["envelope"]
    raw, s_B, s_H = octets(case, "header", "s_B", "s_H")
    assert content_key(read_header(raw), s_B, s_H) is None


@pytest.mark.parametrize("case", hostile(HOSTILE["shares"]))
def test_shares_give_the_half_of_c5_or_none(case: Json) -> None:
    header = read_header(bytes.fromhex(case["header"]))
    shares = {int(i): bytes.fromhex(share) for i, share in case["shares"].items()}
    first = tuple(case["first"]) if case["first"] else None
    found, expect = find_host_half(header, shares, first), case["expect"]
    if expect["subset"] is None:
        assert found is None
        return
    assert found is not None
    assert (found[0].hex(), list(found[1])) == (expect["s_H"], expect["subset"])
    assert deal_check(header, found[0]) is expect["deal_check"]


@pytest.mark.parametrize("kind", MESSAGES)
def test_messages_are_read_as_they_were_made(kind: str) -> None:
    for case in SEALING["messages"][kind]:
        message = MESSAGES[kind](bytes.fromhex(case["raw"]))
        assert message.sha256.hex() == case["digest"]
        if case["signer"] is not None:
            assert message.is_signed_by(bytes.fromhex(case["signer"]))


@pytest.mark.parametrize("kind", MESSAGES)
def test_hostile_messages_are_refused_or_not_signed(kind: str) -> None:
    for case in HOSTILE["messages"][kind]:
        raw = bytes.fromhex(case["raw"])
        if case["expect"] == "ok":
            MESSAGES[kind](raw)
        elif case["expect"] == "signature":
            assert not MESSAGES[kind](raw).is_signed_by(bytes.fromhex(case["public"])), case
        elif kind == "self_release" and case["expect"].endswith("scalar"):
            # The layout is right; such a half is no scalar, so it cannot match c_H.
            assert not shamir.scalar(MESSAGES[kind](raw).half), case["name"]
        else:
            with pytest.raises(BadLayout):
                MESSAGES[kind](raw)
