"""WHIP without its HTTP: whose token it is, which session, what a fragment says."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media.errors import MediaRefused
from server.domain.refusals import Refused
from server.live.whip import (
    FRAGMENT_LINES_MAX,
    Whip,
    WhipCamera,
    covers,
    labels_of,
    read_fragment,
    wants_restart,
    write_fragment,
)
from tests.media.whip_offers import GSTREAMER, HARDWARE_HIGH, OBS

ROOM = "opening:jz-1"
ONE, TWO = "one-token-of-some-length", "two-token-of-some-length"


@pytest.fixture
def whip() -> Whip:
    return Whip([WhipCamera(ROOM, "hall-1", ONE), WhipCamera("opening:*", "cart", TWO)])


def code_of(raised: pytest.ExceptionInfo[Refused]) -> str:
    return raised.value.code


def test_a_token_is_one_cameras_in_its_rooms(whip: Whip) -> None:
    assert whip.member(ROOM, f"Bearer {ONE}") == "camera:hall-1"
    assert whip.member("opening:other", f"bearer {TWO}") == "camera:cart"
    wrong = ["", ONE, f"Basic {ONE}", "Bearer", "Bearer ", f"Bearer {ONE}x", "Bearer \udcff"]
    for room, given_ in [(ROOM, one) for one in wrong] + [
        ("opening:other", f"Bearer {ONE}"),
        ("evaluation:x", f"Bearer {TWO}"),
        (ROOM, f"Bearer {ONE}" + " " * 2000),
    ]:
        with pytest.raises(Refused) as raised:
            whip.member(room, given_)
        assert code_of(raised) == "whip.token"
    assert covers("opening:*", ROOM)
    assert not covers("opening:jz", ROOM)


@pytest.mark.parametrize(
    ("room", "name", "token"),
    [(ROOM, "hall-1", "short"), (ROOM, "Hall 1", ONE), ("opening", "hall-1", ONE), (ROOM, "", ONE)],
)
def test_a_line_that_is_none_is_refused_at_the_start(room: str, name: str, token: str) -> None:
    with pytest.raises(ValueError, match=r"media\.whip"):
        WhipCamera(room, name, token)
    assert ONE not in repr(WhipCamera(ROOM, "hall-1", ONE))


def test_a_session_is_its_cameras_alone_and_the_newest_counts(whip: Whip) -> None:
    first = whip.begin(ROOM, "camera:hall-1", ("video", "0"), "a" * 32, "1" * 32)
    assert whip.find(ROOM, "a" * 32, f"Bearer {ONE}") is first
    for room, session, token in (
        (ROOM, "b" * 32, ONE),
        (ROOM, "a" * 32, TWO),
        ("opening:other", "a" * 32, TWO),
    ):
        with pytest.raises(Refused) as raised:
            whip.find(room, session, f"Bearer {token}")
        assert code_of(raised) == "whip.unknown"
    second = whip.begin(ROOM, "camera:hall-1", ("video", "0"), "b" * 32, "2" * 32)
    with pytest.raises(Refused):
        whip.find(ROOM, "a" * 32, f"Bearer {ONE}")
    assert whip.find(ROOM, "b" * 32, f"Bearer {ONE}") is second
    whip.forget(ROOM, "camera:hall-1")
    with pytest.raises(Refused):
        whip.find(ROOM, "b" * 32, f"Bearer {ONE}")


def test_what_a_patch_is_about_stands_in_its_precondition(whip: Whip) -> None:
    session = whip.begin(ROOM, "camera:hall-1", ("video", "0"), "a" * 32, "1" * 32)
    assert wants_restart(session, "*")
    assert not wants_restart(session, session.tag)
    assert not wants_restart(session, f'"x", {session.tag}')
    for given_, code in (
        ("", "whip.precondition"),
        ('"' + "2" * 32 + '"', "whip.stale"),
        ("W/" + session.tag, "whip.stale"),
        ("1" * 32, "whip.stale"),
    ):
        with pytest.raises(Refused) as raised:
            wants_restart(session, given_)
        assert code_of(raised) == code


def test_the_first_picture_and_the_first_sound_are_taken() -> None:
    assert labels_of(OBS) == ({"1": "camera", "0": "microphone"}, ("audio", "0"))
    # The second section is bundle-only: port 0 in an offer does not mean refused there.
    assert labels_of(GSTREAMER) == (
        {"video0": "camera", "audio1": "microphone"},
        ("video", "video0"),
    )
    assert labels_of(HARDWARE_HIGH) == ({"video": "camera"}, ("video", "video"))
    with pytest.raises(MediaRefused):
        labels_of("v=1")


def test_a_fragment_is_read_for_its_user_name() -> None:
    text = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\n"
    assert read_fragment(text) == "EsAw"
    assert read_fragment("m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=end-of-candidates\r\n") == ""
    for wrong in ("", "EsAw", "a=ice-ufrag:EsAw", "a=ice-ufrag:x\r\na=ice-pwd:y", "a=x\n" * 500):
        with pytest.raises(Refused) as raised:
            read_fragment(wrong)
        assert code_of(raised) == "whip.fragment"
    assert len("a=x\n" * 500) > FRAGMENT_LINES_MAX


@settings(deadline=None)
@given(st.text(max_size=400) | st.text("a=ice-ufragpwd:\r\nAb1 ", max_size=400))
def test_whatever_a_fragment_says_it_is_read_or_refused(text: str) -> None:
    try:
        assert len(read_fragment(text)) in range(257)
    except Refused as refused:
        assert refused.code == "whip.fragment"  # noqa: PT017 - either is right


def test_our_fragment_is_one_that_is_read() -> None:
    written = write_fragment(("video", "0"), "ours", "p" * 22, [("192.0.2.1", 8424)])
    assert read_fragment(written) == "ours"
    assert "a=mid:0\r\na=ice-ufrag:ours\r\n" in written
    assert "a=candidate:1 1 udp 2130706431 192.0.2.1 8424 typ host" in written
