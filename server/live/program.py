"""Which picture and which sound the public gets of a room (直播画面的选择).

One picture: a screen that is shown, else who is on stage, else the host, else a camera of the room.
One sound: who speaks among those who may be heard. Pure. Invariant: who is muted, held, silent or
neither host nor on stage is never chosen, and nothing changes without a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from media.grants import Label

ROOM_CAMERA: Final = "camera:"  # how the names of cameras that belong to nobody begin


@dataclass(frozen=True, slots=True)
class Stage:
    """Whom the room listens to: persons. ``on_stage`` in the order in which they were put there."""

    hosts: frozenset[str] = frozenset()
    on_stage: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """A track that the whole room may watch. ``plays``: its packets come, nobody silenced it."""

    track: int
    member: str
    label: Label
    plays: bool = True


@dataclass(frozen=True, slots=True)
class Program:
    """Tracks; None: there is none."""

    picture: int | None = None
    sound: int | None = None


NOTHING: Final = Program()


def allowed(sources: Sequence[Source], stage: Stage) -> list[Source]:
    """Those that may be chosen now."""
    return [one for one in sources if one.plays and _place(one, stage) is not None]


def choose(
    sources: Sequence[Source], stage: Stage, speaker: int | None, before: Program = NOTHING
) -> Program:
    """What is shown now. ``speaker``: the track that is loudest in the room, None: nobody yet."""
    playing = allowed(sources, stage)
    pictures = [one for one in playing if one.label.kind == "video"]
    sounds = [one for one in playing if one.label.kind == "audio"]
    return Program(
        _first(pictures, stage, before.picture),
        _sound(sounds, stage, speaker, before.sound),
    )


def _sound(
    sounds: Sequence[Source], stage: Stage, speaker: int | None, before: int | None
) -> int | None:
    allowed = {one.track for one in sounds}
    if speaker in allowed:
        return speaker
    # A pause between two sentences is no reason to listen to somebody else.
    return before if before in allowed else _first(sounds, stage, None)


def _first(sources: Sequence[Source], stage: Stage, before: int | None) -> int | None:
    """The best place; among equals the one that is shown already, then the oldest track."""
    best = min(
        sources,
        key=lambda one: (_rank(one, stage), one.track != before, one.track),
        default=None,
    )
    return best.track if best is not None else None


def _rank(source: Source, stage: Stage) -> tuple[int, int]:
    place = _place(source, stage)
    assert place is not None
    is_screen = source.label in (Label.SCREEN, Label.SCREEN_SOUND)
    if source.label.kind == "video":
        return (0 if is_screen else 1), place
    # The host's microphone stands in where nobody speaks; a film's sound only when it is heard.
    return (1 if is_screen else 0), (-1 if source.member in stage.hosts else place)


def _place(source: Source, stage: Stage) -> int | None:
    """Who was put on stage last comes first, then hosts, then cameras; None: not for the public."""
    if source.member in stage.on_stage:
        return -1 - stage.on_stage.index(source.member)
    if source.member in stage.hosts:
        return 1
    return 2 if source.member.startswith(ROOM_CAMERA) else None
