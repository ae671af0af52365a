"""Who hears anything of a room (在场): counts for presence, pairs of joined and left. Pure."""

from __future__ import annotations

from signaling.channel import Subscriber


class Membership:
    """Connections per room; one that hears two channels of a room is there once."""

    __slots__ = ("_channels_of", "_participants")

    def __init__(self) -> None:
        self._channels_of: dict[str, dict[Subscriber, int]] = {}
        self._participants: dict[str, int] = {}

    def enter(self, subscriber: Subscriber, room: str) -> bool:
        """One channel more. True: it was not in the room before."""
        channels_of = self._channels_of.setdefault(room, {})
        count = channels_of.get(subscriber, 0)
        channels_of[subscriber] = count + 1
        if count:
            return False
        self._participants[room] = self._participants.get(room, 0) + subscriber.is_participant
        return True

    def leave(self, subscriber: Subscriber, room: str) -> bool:
        """One channel less. True: it is not in the room any more."""
        channels_of = self._channels_of[room]
        channels_of[subscriber] -= 1
        if channels_of[subscriber]:
            return False
        del channels_of[subscriber]
        self._participants[room] -= subscriber.is_participant
        if not channels_of:
            del self._channels_of[room], self._participants[room]
        return True

    def counts(self, room: str) -> tuple[int, int]:
        """(participants, viewers)."""
        participants = self._participants.get(room, 0)
        return participants, len(self._channels_of.get(room, ())) - participants

    def everybody(self, room: str) -> list[Subscriber]:
        return list(self._channels_of.get(room, ()))
