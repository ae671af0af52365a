"""ICE-lite on one port: who may be answered, how much, and whose address is whose.

Requests are made with aioice, which is not ours.
"""

from typing import Any

import pytest
from aioice import stun
from hypothesis import given
from hypothesis import strategies as st

from media.ice import ADDRESSES_MAX, CONSENT_US, HOLD_US, TRANSACTIONS_MAX, IceTable
from media.stun import REQUEST_BYTES_MAX, build_answer, parse_request

PASSWORD = "p" * 24
HERE, THERE = ("192.0.2.7", 4444), ("198.51.100.9", 5555)


def request(
    username: str = "ours:theirs",
    password: str = PASSWORD,
    *,
    nominates: bool = True,
    role: str = "ICE-CONTROLLING",
    **more: Any,
) -> bytes:
    attributes: dict[str, Any] = {"USERNAME": username, "PRIORITY": 1, role: 7}
    if nominates:
        attributes["USE-CANDIDATE"] = None
    attributes |= more
    message = stun.Message(stun.Method.BINDING, stun.Class.REQUEST, attributes=attributes)
    message.add_message_integrity(password.encode())
    return bytes(message)


@pytest.fixture
def table() -> IceTable:
    made = IceTable()
    made.add(1, "ours", PASSWORD, 0)
    made.expect(1, "theirs")
    return made


@pytest.mark.parametrize("address", [HERE, ("2001:db8::1", 9), ("::ffff:192.0.2.7", 4444)])
def test_a_signed_request_is_answered_with_where_it_came_from(
    table: IceTable, address: tuple[str, int]
) -> None:
    asked = request()
    bound = table.request(asked, address, 0)
    assert bound is not None
    assert bound.answer is not None
    assert (bound.peer, bound.nominated) == (1, True)
    assert table.peer_at(address) == 1
    assert len(bound.answer) <= len(asked)
    read = stun.parse_message(bound.answer)
    assert read.message_class == stun.Class.RESPONSE
    assert read.transaction_id == stun.parse_message(asked).transaction_id
    assert read.check_message_integrity(PASSWORD.encode())
    seen = read.attributes["XOR-MAPPED-ADDRESS"]
    assert seen == (address[0].removeprefix("::ffff:"), address[1])


def no_integrity() -> bytes:
    message = stun.Message(
        stun.Method.BINDING,
        stun.Class.REQUEST,
        attributes={"USERNAME": "ours:theirs", "ICE-CONTROLLING": 7},
    )
    message.add_fingerprint()
    return bytes(message)


def changed(at: int) -> bytes:
    raw = bytearray(request())
    raw[at] ^= 1
    return bytes(raw)


HOSTILE = {
    "nothing": b"",
    "half a head": request()[:19],
    "cut short": request()[:-4],
    "with more behind it": request() + bytes(4),
    "another kind": b"\x01\x01" + request()[2:],
    "another cookie": changed(5),
    "a changed transaction": changed(10),
    "a changed name": changed(26),
    "a changed fingerprint": changed(-1),
    "a name nobody has": request("nobody:theirs"),
    "half of a name": request("ours"),
    "our name with another's": request("ours:another"),
    "a wrong password": request(password="q" * 24),
    "no signature": no_integrity(),
    "who does not control": request(role="ICE-CONTROLLED"),
    "longer than any request": request(SOFTWARE="x" * REQUEST_BYTES_MAX),
    "an attribute beyond the end": b"\x00\x01\x00\x08\x21\x12\xa4\x42"
    + bytes(12)
    + b"\0\6\xff\xff"
    + bytes(4),
    "attributes without end": b"\x00\x01\x01\x00\x21\x12\xa4\x42" + bytes(12 + 256),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=list(HOSTILE))
def test_who_cannot_sign_gets_no_answer_and_leaves_nothing(table: IceTable, raw: bytes) -> None:
    assert table.request(raw, HERE, 0) is None
    assert table.peer_at(HERE) is None


@given(st.binary(max_size=600))
def test_any_bytes_are_a_request_or_nothing(raw: bytes) -> None:
    parse_request(raw)
    parse_request(b"\x00\x01" + raw[2:4] + b"\x21\x12\xa4\x42" + raw[8:])


def test_no_answer_is_longer_than_its_request() -> None:
    shortest = request("a:b", nominates=False)
    read = parse_request(shortest)
    assert read is not None
    for address in (HERE, ("2001:db8::1", 9)):
        answer = build_answer(read, PASSWORD, address)
        assert answer is None or len(answer) <= len(shortest)


def test_a_request_that_was_overheard_proves_nothing_elsewhere(table: IceTable) -> None:
    overheard = request()
    assert table.request(overheard, HERE, 0)
    assert table.request(overheard, HERE, 1)
    assert table.request(overheard, THERE, 2) is None
    assert table.peer_at(THERE) is None


def test_an_address_is_not_taken_from_who_lives_there(table: IceTable) -> None:
    table.add(2, "second", PASSWORD, 0)
    table.expect(2, "theirs")
    assert table.request(request(), HERE, 0)
    assert table.request(request("second:theirs"), HERE, HOLD_US - 1) is None
    assert table.peer_at(HERE) == 1
    assert table.request(request("second:theirs"), HERE, HOLD_US)
    assert table.peer_at(HERE) == 2
    table.remove(1)
    assert table.peer_at(HERE) == 2


def test_addresses_and_transactions_of_a_peer_are_bounded(table: IceTable) -> None:
    for port in range(10 * TRANSACTIONS_MAX):
        assert table.request(request(), ("192.0.2.7", 1000 + port), port)
    held = [
        port for port in range(10 * TRANSACTIONS_MAX) if table.peer_at(("192.0.2.7", 1000 + port))
    ]
    assert len(held) == ADDRESSES_MAX
    table.remove(1)
    assert table.peer_at(("192.0.2.7", held[-1])) is None


def test_who_does_not_consent_any_more_is_told(table: IceTable) -> None:
    assert table.silent(CONSENT_US) == []
    assert table.request(request(), HERE, CONSENT_US)
    assert table.silent(2 * CONSENT_US) == []
    assert table.silent(2 * CONSENT_US + 1) == [1]


# ---- ICE restarts


def test_credentials_in_use_stay_good_until_a_path_is_nominated_with_new_ones(
    table: IceTable,
) -> None:
    table.request(request(), HERE, 0)
    table.renew(1, "ours-2", "q" * 24)
    table.expect(1, "theirs-2")
    old, new = request(), request("ours-2:theirs-2", "q" * 24)
    checked = request("ours-2:theirs-2", "q" * 24, nominates=False)
    for asked, address in ((old, HERE), (checked, THERE), (request(), HERE), (new, THERE)):
        assert table.request(asked, address, 0) is not None
    assert table.request(request(), HERE, 0) is None
    assert table.peer_at(THERE) == 1
    # Mixed halves and passwords are nobody's.
    assert table.request(request("ours-2:theirs", "q" * 24), THERE, 0) is None
    assert table.request(request("ours-2:theirs-2"), THERE, 0) is None


def test_a_restart_that_came_to_nothing_is_forgotten_by_the_next(table: IceTable) -> None:
    for turn in range(5):
        table.renew(1, f"new-{turn}", "q" * 24)
    assert set(table._by_ufrag) == {"ours", "new-4"}
    assert table.request(request(), HERE, 0) is not None
    table.remove(1)
    assert table._by_ufrag == table._by_peer == table._by_address == {}
    table.renew(1, "late", "q" * 24)
    assert table._by_ufrag == {}
