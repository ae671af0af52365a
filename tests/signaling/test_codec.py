"""msgpack from outside: whatever comes, a typed frame or one stable code."""

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import BINARY, Frame

from signaling import frames
from signaling.codec import (
    DEPTH_MAX,
    INTEGER_MAX,
    BadFrame,
    ChannelKey,
    CommandFrame,
    Hello,
    Ping,
    Position,
    Subscribe,
    Unsubscribe,
    decode_client_frame,
    is_one_value,
    pack,
    unpack,
)
from signaling.msgpack_headers import walk_headers

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-INTEGER_MAX, INTEGER_MAX)
    | st.text(max_size=20)
    | st.binary(max_size=300),
    lambda inner: (
        st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=8), inner, max_size=20)
    ),
    max_leaves=40,
)


def depth_of(value):
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 0


@pytest.mark.parametrize(
    ("frame", "typed"),
    [
        (["hello", 1, None, []], Hello(1, None, ())),
        (
            ["hello", 1, "t", [["tender:1", "hall", 2, 7]]],
            Hello(1, "t", (Position(ChannelKey("tender:1", "hall"), 2, 7),)),
        ),
        (
            ["sub", [["tender:1", "party:91330000", 0, 0]]],
            Subscribe((Position(ChannelKey("tender:1", "party:91330000"), 0, 0),)),
        ),
        (["unsub", [["tender:1", "hall"]]], Unsubscribe((ChannelKey("tender:1", "hall"),))),
        (
            ["cmd", 3, "cmd-00003", "tender:1", "say", {"a": [1, b"x", None]}],
            CommandFrame(3, "cmd-00003", "tender:1", "say", {"a": [1, b"x", None]}),
        ),
        (["ping", 12], Ping(12)),
        (["ping", 12.5], Ping(12.5)),
    ],
)
def test_what_an_honest_client_says_is_understood(frame, typed):
    assert decode_client_frame(pack(frame)) == typed


@given(values)
def test_any_value_within_the_limits_may_be_an_argument(value):
    payload = pack(["cmd", 1, "cmd-00001", "r", "op", {"value": value}])
    if depth_of(value) >= DEPTH_MAX:
        with pytest.raises(BadFrame, match=r"frame\.depth"):
            decode_client_frame(payload)
    else:
        assert decode_client_frame(payload).args == {"value": value}


def assert_frame_or_bad_frame(octets):
    code = "frame.none"
    try:
        decode_client_frame(octets)
    except BadFrame as bad:
        code = bad.code
    assert code.startswith(("frame.", "hello."))


@given(st.binary(max_size=200))
def test_random_bytes_are_a_frame_or_a_bad_frame(octets):
    assert_frame_or_bad_frame(octets)


@given(values, st.data())
def test_damaged_frames_are_a_frame_or_a_bad_frame(value, data):
    octets = bytearray(pack(["cmd", 1, "cmd-00001", "r", "op", {"value": value}]))
    at = data.draw(st.integers(0, len(octets) - 1))
    octets[at] = data.draw(st.integers(0, 255))
    assert_frame_or_bad_frame(bytes(octets))


@given(values)
def test_walking_the_headers_agrees_with_msgpack(value):
    octets = pack(value)
    assert walk_headers(octets, 10_000, 60) == ""
    assert walk_headers(octets[:-1], 10_000, 60) in ("", "frame.msgpack")


@given(st.binary(max_size=300))
def test_walking_random_bytes_ends(octets):
    assert walk_headers(octets, 100, 10) in {
        "",
        "frame.msgpack",
        "frame.too_many",
        "frame.depth",
    }


def test_a_mebibyte_of_empty_arrays_is_refused_before_it_is_built():
    inner = b"\xdc\x0f\xff" + b"\x90" * 0xFFF
    bomb = b"\xdc\x00\xff" + inner * 0xFF
    with pytest.raises(BadFrame, match=r"frame\.too_many"):
        unpack(bomb)


@pytest.mark.parametrize(
    ("encoded", "is_one"),
    [
        (pack({"a": 1}), True),
        (b"", False),
        (pack(1) + pack(2), False),
        (pack("abc")[:-1], False),
        (b"\xc1", False),
    ],
)
def test_a_body_is_exactly_one_value(encoded, is_one):
    assert is_one_value(encoded) is is_one


def test_a_large_body_is_one_value_too():
    assert is_one_value(pack(bytes(900_000)))
    assert is_one_value(pack({"bids": [{"price": "12.00", "n": n} for n in range(5000)]}))


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_prebuilt_frame_is_what_websockets_would_have_built(size):
    payload = b"p" * size
    assert frames.wrap(payload) == Frame(BINARY, payload).serialize(mask=False)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 1000])
def test_a_batch_is_what_msgpack_would_have_built(count):
    payloads = [pack(["ev", n]) for n in range(count)]
    whole = ["ev", 0] if count == 1 else ["batch", [["ev", n] for n in range(count)]]
    assert frames.events_frame(payloads) == frames.wrap(msgpack.packb(whole))
