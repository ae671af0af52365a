"""SDP: what browsers write is understood, what we write is understood, the rest is refused."""

import contextlib

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given
from hypothesis import strategies as st

from media.codecs import Codec
from media.errors import MediaRefused
from media.sdp import (
    SDP_BYTES_MAX,
    SECTIONS_MAX,
    LocalEnd,
    OfferedStream,
    answer_publisher,
    offer_viewer,
    read,
    terms_of,
)
from tests.media.descriptions import FINGERPRINT, camera, microphone, offer

ROOM = (Codec.H264, Codec.OPUS)
LOCAL = LocalEnd("ours", "p" * 32, FINGERPRINT, (("203.0.113.5", 8443),), 7, 1)


def test_an_offer_yields_how_its_tracks_are_sent() -> None:
    description = read(offer(camera(), microphone()))
    assert description.ufrag == "abcd"
    assert description.fingerprints == (("sha-256", FINGERPRINT),)
    video, audio = (terms_of(section, ROOM) for section in description.sections)
    assert (video.codec, video.pt, video.rtx_pt, video.mid) == (Codec.H264, 109, 104, "0")
    assert (video.ssrcs, video.rtx_ssrcs) == ((1234,), {1235: 1234})
    assert (video.extensions.mid, video.extensions.transport) == (4, 3)
    assert (audio.codec, audio.pt, audio.extensions.audio_level) == (Codec.OPUS, 111, 1)


def test_the_rooms_codec_is_chosen_and_not_the_first_offered() -> None:
    (section,) = read(offer(camera())).sections
    assert terms_of(section, (Codec.VP8, Codec.OPUS)).pt == 96
    with pytest.raises(MediaRefused) as refused:
        terms_of(section, (Codec.OPUS,))
    assert refused.value.code == "media.no_codec"


@pytest.mark.parametrize("offered", [("h", "l"), ("l", "h"), ("h", "m", "l")])
def test_layers_rise_in_whatever_order_they_are_offered(offered: tuple[str, ...]) -> None:
    (section,) = read(offer(camera(rids=offered))).sections
    rids = terms_of(section, ROOM).rids
    assert rids == tuple(sorted(offered, key="lmh".index))


def test_others_understand_our_answer() -> None:
    description = read(offer(camera(rids=("h", "l")), microphone()))
    accepted = {"1": terms_of(description.sections[1], ROOM)}
    accepted["0"] = terms_of(description.sections[0], ROOM)
    text = answer_publisher(description, accepted, LOCAL)
    for line in ("a=ice-lite", "a=simulcast:recv l;h", "a=rid:l recv", "a=rtcp-fb:109 nack pli"):
        assert line in text.splitlines()
    theirs = SessionDescription.parse(text)
    assert [media.direction for media in theirs.media] == ["recvonly", "recvonly"]
    assert theirs.media[0].dtls is not None
    assert theirs.media[0].dtls.role == "server"
    assert theirs.media[0].ice_candidates[0].port == 8443


def test_the_answer_names_the_profile_that_was_offered() -> None:
    baseline = camera().replace("42e01f", "420034")
    description = read(offer(baseline))
    accepted = {"0": terms_of(description.sections[0], ROOM)}
    assert "profile-level-id=42001f" in answer_publisher(description, accepted, LOCAL)
    strange = read(offer(camera().replace("42e01f", '42e0" x')))
    accepted = {"0": terms_of(strange.sections[0], ROOM)}
    assert "profile-level-id=42e01f" in answer_publisher(strange, accepted, LOCAL)


def test_what_is_not_accepted_is_refused_in_its_place() -> None:
    description = read(
        offer(camera(), microphone(), "m=application 9 UDP/DTLS/SCTP x\r\na=mid:2\r\n")
    )
    text = answer_publisher(description, {"1": terms_of(description.sections[1], ROOM)}, LOCAL)
    theirs = SessionDescription.parse(text)
    assert [(media.kind, media.port) for media in theirs.media] == [
        ("video", 0),
        ("audio", 9),
        ("application", 0),
    ]
    assert "a=group:BUNDLE 1" in text


def test_a_section_that_was_stopped_is_refused_as_what_it_is() -> None:
    stopped = microphone().replace("m=audio 9", "m=audio 0")
    description = read(offer(camera(), stopped))
    text = answer_publisher(description, {"0": terms_of(description.sections[0], ROOM)}, LOCAL)
    assert "m=audio 0 UDP/TLS/RTP/SAVPF 111" in text
    assert [media.port for media in SessionDescription.parse(text).media] == [9, 0]


def test_others_understand_our_offer_and_read_it_as_we_do() -> None:
    streams = [
        OfferedStream("0", Codec.H264, 77, "m1", "t5"),
        OfferedStream("1", Codec.OPUS, 78, "m1", "t6"),
        OfferedStream("2", Codec.H264, 0, "-", "-"),
    ]
    text = offer_viewer(streams, LOCAL)
    theirs = SessionDescription.parse(text)
    assert [media.direction for media in theirs.media] == ["sendonly", "sendonly", "inactive"]
    assert [one.ssrc for one in theirs.media[0].ssrc] == [77]
    assert [section.mid for section in read(text).sections] == ["0", "1", "2"]


HOSTILE: dict[str, tuple[str, str]] = {
    "nothing": ("", "media.sdp"),
    "something else": ("hello", "media.sdp"),
    "no sections": (offer(), "media.sdp"),
    "more bytes than anybody needs": (
        offer(camera() + "a=x\r\n" * SDP_BYTES_MAX),
        "media.sdp_size",
    ),
    "more lines than anybody needs": (offer("x\n" * 5000), "media.sdp_size"),
    "more sections than anybody needs": (
        offer(*(f"m=audio 9 A 0\r\na=mid:{n}\r\n" for n in range(SECTIONS_MAX + 1))),
        "media.sdp_size",
    ),
    "one name twice": (offer(camera("0"), camera("0")), "media.sdp"),
    "a name with a line in it": (offer(camera("0\t1")), "media.sdp"),
    "no ufrag": (offer(camera(), ufrag=""), "media.sdp"),
    "a short ufrag": (offer(camera(), ufrag="a"), "media.sdp"),
    "a weak fingerprint": (offer(camera(), fingerprint="sha-1 AB:CD"), "media.sdp"),
    "half a fingerprint": (offer(camera(), fingerprint="sha-256 AB:CD"), "media.sdp"),
    "no numbers": (offer("m=video x UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\n"), "media.sdp"),
    "numbers of another script": (offer("m=video ９ UDP/TLS/RTP/SAVPF 96\r\n"), "media.sdp"),
    "a payload type out of range": (offer("m=video 9 UDP/TLS/RTP/SAVPF 960\r\n"), "media.sdp"),
    "a clock out of range": (offer(camera() + "a=rtpmap:99 H264/999999999\r\n"), "media.sdp"),
    "too many layers": (offer(camera(rids=("a", "b", "c", "d"))), "media.sdp"),
    "a layer with a space": (offer(camera() + "a=rid:\r\n"), "media.sdp"),
    "an ssrc out of range": (offer(camera() + "a=ssrc:99999999999 x\r\n"), "media.sdp"),
    "half an m-line": (offer("m=\r\n"), "media.sdp"),
}


@pytest.mark.parametrize(("text", "code"), HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_sdp_is_refused_by_code(text: str, code: str) -> None:
    with pytest.raises(MediaRefused) as refused:
        read(text)
    assert refused.value.code == code


LINES = offer(camera(rids=("h", "l")), microphone()).splitlines()


@given(st.data())
def test_any_change_is_understood_or_refused(data: st.DataObject) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        cut = data.draw(st.integers(0, len(lines[at])))
        lines[at] = lines[at][:cut] + data.draw(st.text(max_size=12)) + lines[at][cut + 1 :]
    with contextlib.suppress(MediaRefused):
        description = read("\r\n".join(lines))
        for section in description.sections:
            if section.is_media:
                accepted = {section.mid: terms_of(section, ROOM)}
                SessionDescription.parse(answer_publisher(description, accepted, LOCAL))
