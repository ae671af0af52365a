"""What the HTTP side asks of the rest of the server (端口): the ``Hall``, and nothing else.

Invariant: nothing in this folder reaches into a room's state. Every method raises
``server.domain.refusals.Refused`` (or ``crypto.errors.Rejected``) when the answer is no. Maps that
are returned may hold ``bytes`` anywhere, also as keys: they become lower-case hex on the wire.
Tender and opening ids are checked against ``[a-z0-9-]{1,64}`` before they come here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from crypto.header import Header
from server.domain.commands import Command
from server.domain.model import Actor

# (seq, server_ms, type, payload as stored: a msgpack map, row hash)
EventRow = tuple[int, int, str, bytes, bytes]


class PassClock(Protocol):
    """When something can be said to have been read (``signaling.pass_clock``)."""

    def received_ms(self) -> int:
        """When bytes that are being read now count as received, UTC ms. Called at the read."""
        ...


class Person(Protocol):
    """A registered person behind a login key."""

    @property
    def actor(self) -> Actor: ...
    @property
    def org_name(self) -> str: ...


class Answer(Protocol):
    """What a room answered: ``result`` where ``ok``, else the other three."""

    @property
    def ok(self) -> bool: ...
    @property
    def result(self) -> Mapping[str, Any]: ...
    @property
    def code(self) -> str: ...
    @property
    def retryable(self) -> bool: ...
    @property
    def detail(self) -> Mapping[str, Any]: ...


class RoomPort(Protocol):
    """One room, from outside."""

    async def ask(self, command: Command, actor: Actor, cmd_id: str, received_ms: int) -> Answer:
        """Judges, makes durable, answers. A repeat of (actor, cmd_id) gets the stored answer."""
        ...


class Hall(Protocol):
    """The rest of the server."""

    @property
    def pass_clock(self) -> PassClock: ...

    def now_ms(self) -> int:
        """UTC ms."""
        ...

    def person_by_key(self, login_pk: bytes) -> Person | None:
        """Who logs in with this key now; asked on every request, so a removal works at once."""
        ...

    def room(self, room: str) -> RoomPort | None: ...

    def may_subscribe(self, actor: Actor, room: str, audience: str) -> bool: ...

    async def events(
        self, room: str, audience: str, after: int, limit: int, wait_ms: int
    ) -> tuple[int, Sequence[EventRow]]:
        """(epoch, at most ``limit`` events with seq > ``after`` in order).

        Where there are none it waits up to ``wait_ms`` for the first; then the list may be empty.
        """
        ...

    async def tenders(self) -> Sequence[Mapping[str, Any]]:
        """The public board: ``shapes.TenderRow`` for each."""
        ...

    async def manifest(self, tender: str) -> tuple[bytes, bytes]:
        """(manifest.json, manifest.sig.json) verbatim; ``tender.unknown``."""
        ...

    async def mine(self, actor: Actor, tender: str) -> Mapping[str, Any]:
        """What an organisation has in a tender: {registration, envelopes, submits, receipts}."""
        ...

    async def checkpoint_text(self) -> str: ...

    async def consistency(self, from_size: int, to_size: int) -> Mapping[str, Any]:
        """{from, to, path}; sizes that do not exist are ``query.malformed``."""
        ...

    async def closed_list(self, opening: str) -> Mapping[str, Any]:
        """{submits: [SHA-256, sorted]}; before the deadline ``opening.not_ready``."""
        ...

    async def proofs(self, opening: str, size: int) -> Mapping[str, Any]:
        """{deadline_closed, opening_starts, window_ends, checkpoint}: public entries, for C7."""
        ...

    async def closed_path(self, opening: str, submit_sha256: bytes) -> Mapping[str, Any]:
        """{path, index, count} of a SUBMIT in the closed list; ``bid.unknown`` where it is not."""
        ...

    async def sealed_bid(self, opening: str, start: bytes) -> Mapping[str, Any]:
        """{header, submit, path, index, count} of the counting bid whose bid_id begins so.

        Before the deadline ``opening.not_ready``, whatever is asked for; then ``bid.unknown``
        where there is none. Everything in it is published with the bundle too; no half is.
        """
        ...

    async def envelopes(self, opening: str, actor: Actor, size: int) -> Mapping[str, Any]:
        """{submits, headers, registrations} for trustees and staff, after the deadline.

        ``registrations``: proofs of the counting bidders' BIDDER_REG to the tree of ``size``
        leaves.
        """
        ...

    async def halves(self, opening: str, actor: Actor) -> Mapping[str, Any]:
        """{halves: {bid_id: s_B}} for the opening's trustees, after WINDOW_END."""
        ...

    async def damaged_header(self, opening: str, actor: Actor, bid_id: bytes) -> Header:
        """Of a counting envelope whose stored bytes are damaged and may still be sent again.

        ``auth.role``, ``bid.unknown``, ``repair.not_open``, ``repair.not_damaged``.
        """
        ...

    async def report_repair(self, opening: str, actor: Actor, header: Header) -> None:
        """The same payload is durable under its bid_id again; logs REPAIR."""
        ...

    async def evidence(self, opening: str, actor: Actor, bid_id: bytes) -> Mapping[str, Any]:
        """Everything logged about a form that did not open, with proofs to one checkpoint, for the
        staff and for its bidder; ``ground.unknown`` where nothing is to be explained.
        """
        ...

    async def bundle_path(self, opening: str) -> Path:
        """The finished opening.zip; ``bundle.not_ready`` before."""
        ...

    async def demo_people(self) -> Mapping[str, Any]:
        """The demo's people with their seeds; asked only where the site is a demo."""
        ...

    def upload_terms(self, actor: Actor, tender: str, core: bytes) -> int:
        """Checks a header core against manifest and registration: the payload bytes it declares.

        ``crypto.header.accept_core`` under the tender's terms. Refuses also a bidder who is not
        registered, a tender that is closed, and more envelopes than ``submissions_max`` has room
        for: stored envelopes count in no quota of this side.
        """
        ...

    def check_envelope(self, actor: Actor, header: bytes) -> tuple[str, Header]:
        """(tender id, header) after C6, the tender found by the header's ``tender_id``.

        Everything that ``store_envelope`` would refuse for good is refused here already, because
        between the two the payload takes its final name. A header that is stored passes.
        """
        ...

    async def store_envelope(
        self, actor: Actor, tender: str, header: bytes, blob: str, ct_root: bytes
    ) -> Mapping[str, Any]:
        """Journals a durable envelope: {bid_id}. ``blob`` is the bid_id in hex, its name in the
        store.

        The same header again by the same organisation gets the same answer.
        """
        ...
