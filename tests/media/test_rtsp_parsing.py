"""What a camera's server may send, in whatever slices: it is read, or refused by a code."""

import contextlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.codecs import Codec
from media.errors import CameraFailed
from media.packets import build_rtp, parse_rtp
from media.rtsp_login import Login, parse_url
from media.rtsp_messages import (
    BODY_BYTES_MAX,
    HEAD_BYTES_MAX,
    Media,
    Message,
    MessageReader,
    Response,
    ServerRequest,
    write_request,
)
from media.rtsp_sdp import read_camera
from media.rtsp_shaping import PAYLOAD_BYTES_MAX, Numbers, PictureShaper, SoundShaper
from tests.media.rtsp_server import payloads, pictures_of

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\nPublic: OPTIONS\r\nContent-Length: 4\r\n\r\nbody"
ASKED = b"ANNOUNCE rtsp://x/ RTSP/1.0\r\nCSeq: 9\r\n\r\n"
STREAM = ANSWER + b"\r\n" + b"$\x01\x00\x03abc" + ASKED + b"$\x00\x00\x00" + ANSWER
SDP = """v=0
o=- 1 1 IN IP4 10.0.0.9
s=Media Presentation
a=control:rtsp://10.0.0.9/cam/
m=video 0 RTP/AVP 96
a=control:trackID=1
a=rtpmap:96 H264/90000
a=fmtp:96 profile-level-id=4d001f; packetization-mode=1; sprop-parameter-sets=Z00=,aO48gA==
m=audio 0 RTP/AVP 8
a=rtpmap:8 PCMA/8000
m=audio 0 RTP/AVP 97
a=control:trackID=3
a=rtpmap:97 opus/48000/2
m=application 0 RTP/AVP 107
a=rtpmap:107 vnd.onvif.metadata/90000
"""


def read_all(data: bytes, sizes: list[int]) -> list[Message]:
    reader, found, at = MessageReader(), list[Message](), 0
    for size in [*sizes, len(data)]:
        found += reader.feed(data[at : at + size])
        at += size
    return found


@settings(deadline=None)
@given(st.lists(st.integers(1, 40), max_size=60))
def test_messages_are_the_same_in_whatever_slices_they_come(sizes: list[int]) -> None:
    first, media, asked, empty, second = read_all(STREAM, sizes)
    assert isinstance(first, Response)
    assert (first.status, first.cseq, first.body) == (200, "2", b"body")
    assert (media, empty) == (Media(1, b"abc"), Media(0, b""))
    assert isinstance(asked, ServerRequest)
    assert asked.method == "ANNOUNCE"
    assert second == first


@settings(deadline=None)
@given(st.data())
def test_whatever_comes_is_read_or_refused(data: st.DataObject) -> None:
    """Random bytes, and real answers with some of their bytes changed."""
    raw = bytearray(data.draw(st.one_of(st.binary(max_size=300), st.just(STREAM * 2))))
    for _ in range(data.draw(st.integers(0, 6)) if raw else 0):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    reader = MessageReader()
    with contextlib.suppress(CameraFailed):
        for at in range(0, len(raw), 50):
            for message in reader.feed(bytes(raw[at : at + 50])):
                assert isinstance(message, Message)


def test_what_never_ends_is_not_kept() -> None:
    reader = MessageReader()
    for _ in range(4):
        assert list(reader.feed(b"x" * (HEAD_BYTES_MAX // 4))) == []
    with pytest.raises(CameraFailed, match="malformed"):
        list(reader.feed(b"x"))
    assert len(reader._buffer) <= 2 * HEAD_BYTES_MAX
    for length in (b"-1", b"1e3", b"99999999999999", str(BODY_BYTES_MAX + 1).encode()):
        with pytest.raises(CameraFailed, match="length"):
            list(
                MessageReader().feed(b"RTSP/1.0 200 OK\r\nContent-Length: " + length + b"\r\n\r\n")
            )
    with pytest.raises(CameraFailed, match="headers"):
        list(MessageReader().feed(b"RTSP/1.0 200 OK\r\n" + b"A: b\r\n" * 65 + b"\r\n"))


def test_a_request_has_no_line_that_is_not_ours() -> None:
    with pytest.raises(AssertionError):
        write_request("OPTIONS", "rtsp://x/\r\nEvil: 1", {})
    with pytest.raises(AssertionError):
        write_request("OPTIONS", "rtsp://x/", {"Session": "a\nb"})


@pytest.mark.parametrize(
    "text",
    ["http://x/", "rtsp:///y", "rtsp://x:99999/", "rtsp://x/ y", "rtsp://x/\r\nA: b", "",
     "rtsps://x/", "rtsp://a%0d%0ab:c@x/", "rtsp://" + "x" * 2000, "rtsp://[::1/"],
)  # fmt: skip
def test_a_url_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(CameraFailed, match=r"camera\.url"):
        parse_url(text)


def test_user_and_password_stand_in_no_request_line() -> None:
    url = parse_url("rtsp://us%40er:pa%2Fss@[::1]/live?channel=1&subtype=0")
    assert (url.user, url.password, url.host, url.port) == ("us@er", "pa/ss", "::1", 554)
    assert url.url == "rtsp://[::1]:554/live?channel=1&subtype=0"
    assert "ss" not in repr(url)


def test_the_examples_of_the_digest_are_answered_as_they_are_printed() -> None:
    """RFC 2617 §3.5 and RFC 7616 §3.9.1."""
    login = Login("Mufasa", "Circle Of Life")
    assert login.header("GET", "/", "") == ""
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093"
    digest = f'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="{nonce}"'
    assert login.challenged(('Basic realm="x"', digest))
    made = login.header("GET", "/dir/index.html", "0a4f113b")
    assert 'response="6629fae49393a05397450978507c4ef1"' in made
    assert "nc=00000001" in made
    assert not login.challenged((digest,)), "the same nonce again: the password is wrong"

    login = Login("Mufasa", "Circle of Life")
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    realm = "http-auth@example.org"
    assert login.challenged(
        (
            f'Digest realm="{realm}", qop="auth, auth-int", algorithm=MD5, nonce="{nonce}"',
            f'Digest realm="{realm}", qop="auth, auth-int", algorithm=SHA-256, nonce="{nonce}"',
        )
    )
    made = login.header("GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    assert "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" in made


def test_a_login_without_a_user_is_not_tried() -> None:
    assert not Login("", "").challenged(('Basic realm="x"',))
    login = Login("u", "p")
    assert login.challenged(('Basic realm="x"',))
    assert login.header("GET", "/", "") == "Basic dTpw"
    assert not login.challenged(('Basic realm="x"',))
    assert not Login("u", "p").challenged(('Digest algorithm=MD4, nonce="n"', "Negotiate"))


def test_of_a_description_picture_and_sound_are_taken_and_the_rest_named() -> None:
    offer = read_camera(SDP.encode(), "rtsp://10.0.0.9:554/cam")
    picture, sound = offer.tracks
    assert offer.control == "rtsp://10.0.0.9/cam/"
    assert (picture.codec, picture.pt) == (Codec.H264, 96)
    assert picture.control == "rtsp://10.0.0.9:554/cam/trackID=1"
    assert picture.parameters == (b"gM", b"h\xee<\x80")
    assert (sound.codec, sound.pt) == (Codec.OPUS, 97)
    assert offer.ignored == ("audio pcma/8000", "application vnd.onvif.metadata/90000")


@pytest.mark.parametrize(
    ("before", "after"),
    [("H264", "H265"), ("4d001f", "7a001f"), ("mode=1", "mode=2"), ("AVP 96", "AVP 999")],
)
def test_a_camera_without_a_picture_that_we_forward_is_refused(before: str, after: str) -> None:
    with pytest.raises(CameraFailed, match=r"camera\.no_h264"):
        read_camera(SDP.replace(before, after, 1).encode(), "rtsp://x/")


@settings(deadline=None)
@given(st.data())
def test_whatever_a_description_says_it_is_read_or_refused(data: st.DataObject) -> None:
    raw = bytearray(SDP.encode())
    for _ in range(data.draw(st.integers(0, 12))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    with contextlib.suppress(CameraFailed):
        offer = read_camera(bytes(raw), "rtsp://x/")
        for url in (offer.control, *(track.control for track in offer.tracks)):
            write_request("SETUP", url, {})


# ---- shaping

SPS, PPS, IDR, SLICE = b"\x67sps", b"\x68pps", b"\x65" + bytes(range(256)) * 30, b"\x41slice"


def shaped(shaper: PictureShaper, packets: list[tuple[int, int, bool, bytes]]) -> list:
    views = [
        parse_rtp(build_rtp(96, seq, ts, 1, body, marker=mark), 0xFFFF)
        for seq, ts, mark, body in packets
    ]
    made = [one for view in views if view is not None for one in shaper.shape(view)]
    found = [parse_rtp(one) for one in made]
    assert all(found)
    return found


def test_every_keyframe_has_its_parameter_sets_once() -> None:
    shaper = PictureShaper(Numbers(7, 102, 65533), (SPS, PPS))
    got = shaped(
        shaper,
        [
            (1, 0, True, b"\x65key"),  # none in band: from the description
            (2, 90, False, b"\x65key, first slice"),
            (3, 90, True, b"\x65key, second slice"),
            (4, 180, True, SLICE),
            (5, 270, False, b"\x67new"),
            (6, 270, False, b"\x68new"),
            (7, 270, True, b"\x65key"),  # in band: left as it is
            (8, 360, True, b"\x65key"),  # the latest in band
        ],
    )
    assert pictures_of([(v.timestamp, v.marker, v.payload) for v in got]) == [
        [SPS, PPS, b"\x65key"],
        [SPS, PPS, b"\x65key, first slice", b"\x65key, second slice"],
        [SLICE],
        [b"\x67new", b"\x68new", b"\x65key"],
        [b"\x67new", b"\x68new", b"\x65key"],
    ]
    assert [view.seq for view in got] == [(65534 + n) & 0xFFFF for n in range(len(got))]
    assert [view.timestamp for view in got if view.marker] == [0, 90, 180, 270, 360]
    assert {(view.ssrc, view.pt) for view in got} == {(7, 102)}


@pytest.mark.parametrize("size", [300, 1400, 3000, 60_000])
def test_a_packet_that_would_not_fit_is_cut_and_says_the_same(size: int) -> None:
    shaper = PictureShaper(Numbers(7, 102, 0), ())
    parts = payloads([SPS, IDR], size)
    if size == 60_000:
        parts = [b"\x78" + b"".join(len(u).to_bytes(2, "big") + u for u in (SPS, IDR))]
    got = shaped(shaper, [(n, 5, n == len(parts) - 1, part) for n, part in enumerate(parts)])
    assert pictures_of([(v.timestamp, v.marker, v.payload) for v in got]) == [[SPS, IDR]]
    assert max(len(view.payload) for view in got) <= PAYLOAD_BYTES_MAX
    assert [view.marker for view in got] == [False] * (len(got) - 1) + [True]


def test_what_the_camera_has_lost_stays_missing_and_nothing_comes_twice() -> None:
    shaper = PictureShaper(Numbers(7, 102, 0), ())
    order = [65534, 65535, 65535, 0, 3, 2, 4]
    got = shaped(shaper, [(seq, at, True, SLICE) for at, seq in enumerate(order)])
    assert [view.seq for view in got] == [1, 2, 3, 6, 7]
    assert not shaper.is_reordered
    shaped(shaper, [(5, 90, True, SLICE), (6, 60, True, SLICE)])
    assert shaper.is_reordered


def test_whatever_payload_comes_the_numbers_grow_and_nothing_raises() -> None:
    dice = random.Random(3)
    picture = PictureShaper(Numbers(7, 102, 0), (SPS, PPS))
    sound = SoundShaper(Numbers(8, 111, 0))
    latest = 0
    for seq in range(3000):
        kind = bytes([dice.choice([0x65, 0x67, 0x68, 0x78, 0x7C, 0x41, dice.randrange(256)])])
        body = (kind + dice.randbytes(dice.choice([0, 1, 2, 20, 5000])))[: dice.randrange(1, 5001)]
        view = parse_rtp(build_rtp(96, seq, dice.randrange(1 << 32), 1, body), 0xFFFF)
        assert view is not None
        for packet in picture.shape(view):
            found = parse_rtp(packet)
            assert found is not None
            assert 0 < (found.seq - latest) & 0xFFFF < 0x8000
            latest = found.seq
        assert all(len(packet) <= PAYLOAD_BYTES_MAX + 12 for packet in sound.shape(view))
    assert len(picture._in_band) <= 8
