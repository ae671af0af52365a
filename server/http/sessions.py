"""Who is at the other end (会话): sessions and one-time WebSocket tickets, all in memory.

Invariant: a session id and a ticket are 32 bytes from the OS that leave this process once; only
their SHA-256 is kept, so a copy of our memory or a log logs nobody in. A session opens no bid:
every act that matters carries a signature of its own (sealing.md §8). A restart ends every session.
"""

import re
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from crypto.hashes import sha256
from crypto.keys import random_bytes
from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.ports import Person
from server.http.settings import Limits

TOKEN_FORM: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def new_token() -> str:
    """256 bits, 43 characters of base64url."""
    return urlsafe_b64encode(random_bytes(32)).rstrip(b"=").decode()


def digest_of(token: str) -> bytes | None:
    """Under what a token is kept; None for what never was one of ours."""
    return sha256(token.encode()) if TOKEN_FORM.fullmatch(token) else None


@dataclass(slots=True)
class Session:
    """One device of one person. ``login_pk`` is looked up on every use, so a removal ends it."""

    login_pk: bytes
    created_ms: int
    used_ms: int
    tickets: OrderedDict[bytes, int] = field(default_factory=OrderedDict)  # digest -> expiry_ms


@dataclass(frozen=True, slots=True)
class Admission:
    """Whom a ticket admits, and by which session (its digest): the socket ends with the session."""

    actor: Actor
    org_name: str
    session: bytes


class Sessions:
    """The sessions of a site.

    ``on_end`` is called with a session's digest when it ends for whatever reason; whoever keeps
    sockets closes the ones that were admitted by it.
    """

    def __init__(
        self,
        limits: Limits,
        now_ms: Callable[[], int],
        person_by_key: Callable[[bytes], Person | None],
    ) -> None:
        self._limits = limits
        self._now_ms = now_ms
        self._person_by_key = person_by_key
        self._sessions: OrderedDict[bytes, Session] = OrderedDict()  # least recently used first
        self._of_person: dict[bytes, list[bytes]] = {}  # login_pk -> digests, oldest first
        self._tickets: dict[bytes, bytes] = {}  # ticket digest -> session digest
        self.on_end: list[Callable[[bytes], None]] = []

    def begin(self, login_pk: bytes, old: str = "") -> str:
        """A new session id for this key; the one the browser came with ends (rotation at login)."""
        self.end(old)
        own = self._of_person.get(login_pk, [])
        if len(own) >= self._limits.sessions_per_person_max:
            self._end(own[0])
        if len(self._sessions) >= self._limits.sessions_max:
            self.sweep()
            if len(self._sessions) >= self._limits.sessions_max:
                raise Refused("auth.busy")
        token, now = new_token(), self._now_ms()
        digest = sha256(token.encode())
        self._sessions[digest] = Session(login_pk, now, now)
        self._of_person.setdefault(login_pk, []).append(digest)
        return token

    def person(self, token: str) -> Person | None:
        """Whose session this is; None for a forged, ended or expired one. Counts as use."""
        digest = digest_of(token)
        session = self._live(digest) if digest else None
        if digest is None or session is None:
            return None
        person = self._person_by_key(session.login_pk)
        if person is None:
            self._end(digest)
            return None
        session.used_ms = self._now_ms()
        self._sessions.move_to_end(digest)
        return person

    def end(self, token: str) -> None:
        """Logout."""
        digest = digest_of(token)
        if digest is not None:
            self._end(digest)

    def ticket(self, token: str) -> str:
        """A ticket for one WebSocket hello; raises ``auth.required``."""
        digest = digest_of(token)
        if digest is None or self.person(token) is None:
            raise Refused("auth.required")
        session = self._sessions[digest]
        while len(session.tickets) >= self._limits.tickets_per_session_max:
            del self._tickets[session.tickets.popitem(last=False)[0]]
        ticket = new_token()
        key = sha256(ticket.encode())
        session.tickets[key] = self._now_ms() + self._limits.ticket_ms
        self._tickets[key] = digest
        return ticket

    def admit(self, ticket: str) -> Admission | None:
        """Spends a ticket; None if it was spent, is stale, or its session is over."""
        key = digest_of(ticket)
        digest = self._tickets.pop(key, None) if key else None
        if key is None or digest is None:
            return None
        session = self._live(digest)
        if session is None or session.tickets.pop(key) <= self._now_ms():
            return None
        person = self._person_by_key(session.login_pk)
        if person is None:
            self._end(digest)
            return None
        return Admission(person.actor, person.org_name, digest)

    def redeem(self, ticket: str) -> Actor | None:
        """``admit`` for whoever needs only the actor."""
        admission = self.admit(ticket)
        return admission.actor if admission else None

    def touch(self, digest: bytes) -> bool:
        """A socket admitted by this session is in use, so it is not idle. False: it is over."""
        session = self._live(digest)
        if session is None or self._person_by_key(session.login_pk) is None:
            return False
        session.used_ms = self._now_ms()
        self._sessions.move_to_end(digest)
        return True

    def sweep(self) -> None:
        """Ends what has expired; called each minute, and when there is no room."""
        now = self._now_ms()
        oldest_use = now - self._limits.session_idle_ms
        while self._sessions:
            digest, session = next(iter(self._sessions.items()))
            if session.used_ms > oldest_use:
                break
            self._end(digest)
        too_old = now - self._limits.session_absolute_ms
        for digest in [d for d, s in self._sessions.items() if s.created_ms <= too_old]:
            self._end(digest)

    def _live(self, digest: bytes) -> Session | None:
        session = self._sessions.get(digest)
        if session is None:
            return None
        now = self._now_ms()
        if (
            now - session.used_ms >= self._limits.session_idle_ms
            or now - session.created_ms >= self._limits.session_absolute_ms
        ):
            self._end(digest)
            return None
        return session

    def _end(self, digest: bytes) -> None:
        session = self._sessions.pop(digest, None)
        if session is None:
            return
        own = self._of_person[session.login_pk]
        own.remove(digest)
        if not own:
            del self._of_person[session.login_pk]
        for ticket in session.tickets:
            self._tickets.pop(ticket, None)
        for told in self.on_end:
            told(digest)
