"""The seam between signaling and whoever owns the rooms (网关).

Signaling knows connections, channels and order; it knows no tender. What it must ask is one
of the questions in ``Gateway``. Invariant: it calls the gateway on the loop's own thread, and
``admit``, ``may_subscribe``, ``position``, ``command``, ``joined``, ``left``, ``presence`` never
wait: they are called between two reads of sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from msgspec import Struct, field


class AdmissionRefused(Exception):
    """The ticket opens no door. ``code`` is stable, e.g. ``ticket.unknown``."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class PeerAddress(NamedTuple):
    """Where a connection comes from: its address (as the trusted proxy says) and its Origin."""

    address: str
    origin: str | None


class Identity(Struct, frozen=True):
    """Who a connection is, as the gateway said at admission.

    ``session`` is what ``drop_identity`` names; it is never sent to the client. A participant
    (bidder, officer) is served before viewers and may send larger frames. ``me`` goes into
    ``welcome``. ``context`` belongs to the gateway; signaling only carries it.
    """

    session: str
    is_participant: bool
    me: Mapping[str, Any] = field(default_factory=dict[str, Any])
    context: Any = None


class Command(Struct, frozen=True):
    """What a client asks. ``received_ms``: when it counts as received (pass_clock.py)."""

    room: str
    op: str
    args: dict[str, Any]
    cmd_id: str
    n: int
    received_ms: int


class Answer(Struct, frozen=True):
    """``code`` empty: done, with ``result``. Else refused, perhaps worth another try later."""

    result: Any = None
    code: str = ""
    is_retryable: bool = False
    detail: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @classmethod
    def done(cls, result: Any = None) -> Answer:
        return cls(result=result)

    @classmethod
    def refused(cls, code: str, *, is_retryable: bool = False, **detail: Any) -> Answer:
        assert code
        return cls(code=code, is_retryable=is_retryable, detail=detail)


class Event(NamedTuple):
    """One event of a channel as the journal holds it; ``body`` is msgpack, verbatim."""

    seq: int
    server_ms: int
    kind: str
    body: bytes
    hash: bytes


Reply = Callable[[Answer], None]


class Gateway(Protocol):
    """What signaling asks of the rooms."""

    def admit(self, ticket: str | None, peer: PeerAddress) -> Identity:
        """Whose ticket this is; None asks for an anonymous viewer. Raises AdmissionRefused."""
        ...

    def may_subscribe(self, identity: Identity, room: str, audience: str) -> bool: ...

    def position(self, room: str, audience: str) -> tuple[int, int] | None:
        """(epoch, last durable seq) of a channel; None: there is no such channel."""
        ...

    async def history(self, room: str, audience: str, after: int, limit: int) -> Sequence[Event]:
        """Up to ``limit`` durable events with seq > ``after``, dense and in order."""
        ...

    def command(self, identity: Identity, command: Command, reply: Reply) -> None:
        """Hand a command to its room. ``reply`` is called once, later or at once, on the loop's
        thread; it may be called after the connection has gone."""
        ...

    def joined(self, identity: Identity, room: str) -> None:
        """A connection of ``identity`` now hears at least one channel of ``room``."""
        ...

    def left(self, identity: Identity, room: str) -> None:
        """It hears none any more; called as often as ``joined``."""
        ...

    def presence(self, room: str) -> Mapping[str, Any] | None:
        """Counts that everybody in ``room`` may see now; None: nobody may see any."""
        ...
