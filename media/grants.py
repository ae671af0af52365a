"""Who may do what (权限表), as the server hands it in. This package knows no roles.

Invariant: nothing is granted by default, and a track that is meant for some is seen by nobody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Label(StrEnum):
    """What a track is. A label fixes its kind: sound or picture."""

    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN = "screen"
    SCREEN_SOUND = "screen_sound"

    @property
    def kind(self) -> str:
        return "audio" if self in (Label.MICROPHONE, Label.SCREEN_SOUND) else "video"


@dataclass(frozen=True, slots=True)
class Grants:
    """Of one member of one room.

    ``publish``: which tracks. ``watch``: the room's tracks. ``watch_all``: also those meant for
    some. ``mute``: silence or hold anybody's tracks. ``call_in``: publish to chosen members, or,
    though hidden, to the room. ``hidden``: nobody is told of this member but whom it calls.
    """

    publish: frozenset[Label] = frozenset()
    watch: bool = False
    watch_all: bool = False
    mute: bool = False
    call_in: bool = False
    hidden: bool = False

    def may_publish(self, label: Label, to: frozenset[str] | None) -> bool:
        if label not in self.publish:
            return False
        return self.call_in or (to is None and not self.hidden)

    def may_watch(self, member: str, publisher: str, to: frozenset[str] | None) -> bool:
        """Whether ``member``, who holds these grants, may watch a track of ``publisher``."""
        if member == publisher:
            return False
        if self.watch_all:
            return True
        return member in to if to is not None else self.watch


NOTHING = Grants()
