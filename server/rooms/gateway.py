"""The gateway (网关): how signaling reaches the rooms. Implements `signaling.gateway.Gateway`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from crypto.errors import Rejected
from server.domain.commands import parse_command
from server.domain.model import PUBLIC, Actor, Role
from server.domain.refusals import REFUSALS, Refused
from server.rooms.hall import Hall
from server.rooms.metrics import BEFORE_DEADLINE
from server.rooms.room import Answer as RoomAnswer
from server.rooms.room import Request
from signaling.gateway import (
    AdmissionRefused,
    Answer,
    Command,
    Event,
    Identity,
    PeerAddress,
    Reply,
)

CMD_ID_MIN, CMD_ID_MAX = 8, 64
CROWD = 1000
CARDS_PER_ADDRESS_MAX = 60  # per minute; a card needs no session (C8)

# ticket -> (session, actor, organisation's name), once; None: stale or unknown
Redeem = Callable[[str], tuple[str, Actor, str] | None]


class RoomsGateway:
    """Signaling's view of the hall."""

    def __init__(self, hall: Hall, redeem: Redeem) -> None:
        self._hall = hall
        self._redeem = redeem
        # Connections that hear a room, on all processes; whoever composes sets it.
        self.present: Callable[[str], int] = lambda room: 0
        self._anonymous = 0
        self._cards: dict[str, tuple[int, int]] = {}

    def admit(self, ticket: str | None, peer: PeerAddress) -> Identity:
        if ticket is None:
            self._anonymous += 1
            return Identity(f"anonymous-{self._anonymous}", False, {}, (PUBLIC, peer.address))
        found = self._redeem(ticket)
        if found is None:
            raise AdmissionRefused("auth.ticket_stale")
        session, actor, org_name = found
        me = {
            "person": actor.person,
            "role": str(actor.role),
            "org": actor.org,
            "name": actor.name,
            "org_name": org_name,
        }
        participant = actor.role is not Role.VIEWER
        return Identity(session, participant, me, (actor, peer.address))

    def may_subscribe(self, identity: Identity, room: str, audience: str) -> bool:
        return self._hall.may_subscribe(identity.context[0], room, audience)

    def position(self, room: str, audience: str) -> tuple[int, int] | None:
        found = self._hall.find_room(room)
        if found is None:
            return None
        return self._hall.history_epoch, found.durable_position(audience)

    async def history(self, room: str, audience: str, after: int, limit: int) -> Sequence[Event]:
        return [Event(*row) for row in self._hall.history(room, audience, after, limit)]

    def command(self, identity: Identity, command: Command, reply: Reply) -> None:
        actor, address = identity.context

        def answer(given: RoomAnswer) -> None:
            if given.ok:
                reply(Answer.done(given.result))
            else:
                reply(Answer(code=given.code, is_retryable=given.retryable, detail=given.detail))

        try:
            if not CMD_ID_MIN <= len(command.cmd_id) <= CMD_ID_MAX:
                raise Refused("command.id")
            if command.op == "card_unlock":
                self._limit_cards(address, command.received_ms)
            kind = command.room.split(":", 1)[0]
            typed = parse_command(kind, command.op, command.args)
            # An anonymous actor is one person to the journal: its cmd_ids are not kept apart.
            cmd_id = command.cmd_id if actor is not PUBLIC else ""
            request = Request(typed, actor, cmd_id, command.received_ms, answer)
            self._hall.put(command.room, request)
        except Rejected as rejected:
            reply(Answer(code=rejected.code))
        except Refused as refused:
            retryable = REFUSALS[refused.code].retryable
            reply(Answer(code=refused.code, is_retryable=retryable, detail=refused.detail))

    def _limit_cards(self, address: str, now_ms: int) -> None:
        minute = now_ms // 60_000
        when, count = self._cards.get(address, (minute, 0))
        count = count + 1 if when == minute else 1
        if when != minute or len(self._cards) > 10_000:
            self._cards = {a: c for a, c in self._cards.items() if c[0] == minute}
        self._cards[address] = (minute, count)
        if count > CARDS_PER_ADDRESS_MAX:
            raise Refused("unlock.rate")

    def joined(self, identity: Identity, room: str) -> None:
        """Presence is not shown before the deadline, so nothing is counted here."""

    def left(self, identity: Identity, room: str) -> None:
        """See ``joined``."""

    def presence(self, room: str) -> Mapping[str, Any] | None:
        """``viewers``: how many are in an opening's hall, with staff, bidders and public. Before
        the deadline it would say how many mean to bid, and there is nothing.
        """
        found = self._hall.find_room(room)
        if found is None or found.kind.name != "opening" or found.state.stage in BEFORE_DEADLINE:
            return None
        return {**(self._hall.counts(room) or {}), "viewers": rounded(self.present(room))}


def rounded(count: int) -> int:
    """Every change goes to everybody: of a crowd only two digits are told."""
    step = 10 ** max(0, len(str(count)) - 2) if count >= CROWD else 1
    return count // step * step
