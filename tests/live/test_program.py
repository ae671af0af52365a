"""What the public sees and hears of a room: a function of who is where."""

import itertools

import pytest

from media.grants import Label
from server.live.program import NOTHING, Program, Source, Stage, choose

HOST_CAMERA = Source(1, "host", Label.CAMERA)
HOST_VOICE = Source(2, "host", Label.MICROPHONE)
HOST_SCREEN = Source(3, "host", Label.SCREEN)
FILM = Source(4, "host", Label.SCREEN_SOUND)
GUEST_CAMERA = Source(5, "guest", Label.CAMERA)
GUEST_VOICE = Source(6, "guest", Label.MICROPHONE)
OTHER_CAMERA = Source(7, "other", Label.CAMERA)
ROOM_CAMERA = Source(8, "camera:door", Label.CAMERA)
ROOM_VOICE = Source(9, "camera:door", Label.MICROPHONE)
EVERYTHING = [
    HOST_CAMERA, HOST_VOICE, HOST_SCREEN, FILM, GUEST_CAMERA, GUEST_VOICE, OTHER_CAMERA,
    ROOM_CAMERA, ROOM_VOICE,
]  # fmt: skip
STAGE = Stage(frozenset({"host"}), ("guest",))
EMPTY = Stage(frozenset({"host"}))


def without(*gone: Source) -> list[Source]:
    return [one for one in EVERYTHING if one not in gone]


@pytest.mark.parametrize(
    ("sources", "stage", "picture"),
    [
        (EVERYTHING, STAGE, HOST_SCREEN),
        (without(HOST_SCREEN), STAGE, GUEST_CAMERA),
        (without(HOST_SCREEN), EMPTY, HOST_CAMERA),
        (without(HOST_SCREEN, HOST_CAMERA), EMPTY, ROOM_CAMERA),
        (without(HOST_SCREEN), Stage(frozenset({"host"}), ("guest", "other")), OTHER_CAMERA),
    ],
)
def test_the_picture_is_a_screen_then_the_stage_then_the_host_then_the_room(
    sources: list[Source], stage: Stage, picture: Source
) -> None:
    for order in (sources, sources[::-1]):
        assert choose(order, stage, None).picture == picture.track


def test_the_sound_follows_who_speaks_and_stays_in_pauses() -> None:
    first = choose(EVERYTHING, STAGE, None)
    assert first.sound == HOST_VOICE.track
    speaks = choose(EVERYTHING, STAGE, GUEST_VOICE.track, first)
    assert speaks.sound == GUEST_VOICE.track
    assert choose(EVERYTHING, STAGE, None, speaks).sound == GUEST_VOICE.track
    assert choose(EVERYTHING, STAGE, FILM.track, speaks).sound == FILM.track


def test_who_is_neither_host_nor_on_stage_is_neither_seen_nor_heard() -> None:
    strangers = [OTHER_CAMERA, GUEST_CAMERA, GUEST_VOICE]
    assert choose(strangers, EMPTY, GUEST_VOICE.track) == NOTHING
    left = choose([GUEST_VOICE, HOST_VOICE], EMPTY, GUEST_VOICE.track, Program(None, 6))
    assert left.sound == HOST_VOICE.track


def test_who_is_silenced_is_not_chosen_though_he_speaks() -> None:
    silenced = Source(6, "guest", Label.MICROPHONE, plays=False)
    found = choose([silenced, HOST_VOICE], STAGE, 6, Program(None, 6))
    assert found.sound == HOST_VOICE.track
    assert choose([silenced], STAGE, 6) == NOTHING


def test_nothing_changes_without_a_reason() -> None:
    """Whatever plays, a choice that was made is made again."""
    for count in range(len(EVERYTHING) + 1):
        for sources in itertools.combinations(EVERYTHING, count):
            first = choose(sources, STAGE, None)
            assert choose(sources, STAGE, None, first) == first
            speaking = choose(sources, STAGE, GUEST_VOICE.track, first)
            assert speaking.picture == first.picture


def test_of_two_cameras_of_one_person_the_shown_one_stays() -> None:
    second = Source(0, "guest", Label.CAMERA)
    assert choose([GUEST_CAMERA, second], STAGE, None, Program(5, None)).picture == 5
    assert choose([GUEST_CAMERA, second], STAGE, None).picture == 0
