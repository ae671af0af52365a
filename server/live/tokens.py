"""Short-lived tokens for the fragments' listener (片段令牌), which knows no sessions.

    token = base64url(u64 expiry_ms || 8 random bytes || subject) "." base64url(HMAC-SHA-256)

over the room and all of that, under a secret that is made anew with each media process and leaves
the two processes never. ``subject`` is a person's id, or "" for the public. Invariant: a token is
good for one room and one subject, until it expires or is taken back; one that was used within its
life stays good while it is used, so that a player need not be told of another.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from crypto.keys import random_bytes

SECRET_BYTES: Final = 32
TOKEN_MS: Final = 60_000
USED_MS: Final = 60_000  # a player that has asked nothing for so long has gone
PASSES_MAX: Final = 20_000
TAKEN_BACK_MAX: Final = 20_000
TOKEN_CHARS_MAX: Final = 400
NONCE_BYTES: Final = 8
HEAD_BYTES: Final = 8 + NONCE_BYTES


def new_secret() -> bytes:
    return random_bytes(SECRET_BYTES)


def make_token(secret: bytes, room: str, subject: str, now_ms: int) -> str:
    """Good for `TOKEN_MS` from now."""
    body = (now_ms + TOKEN_MS).to_bytes(8, "big") + random_bytes(NONCE_BYTES) + subject.encode()
    return f"{_text(body)}.{_text(_seal(secret, room, body))}"


@dataclass(frozen=True, slots=True)
class Pass:
    """What a good token says."""

    room: str
    subject: str
    expiry_ms: int
    name: bytes  # of this token among all


def read_token(secret: bytes, room: str, token: str) -> Pass | None:
    """None for what this secret has not made for this room; may have expired."""
    if len(token) > TOKEN_CHARS_MAX or not token.isascii():
        return None
    said, _, sealed = token.partition(".")
    try:
        body, seal = _bytes(said), _bytes(sealed)
    except (Base64Error, ValueError):
        return None
    if len(body) < HEAD_BYTES or not hmac.compare_digest(seal, _seal(secret, room, body)):
        return None
    expiry_ms = int.from_bytes(body[:8], "big")
    return Pass(room, body[HEAD_BYTES:].decode(), expiry_ms, body[:HEAD_BYTES])


@dataclass(frozen=True, slots=True)
class Admitted:
    """Who has been let in, "" for the public; and whether he may stay, asked again and again."""

    subject: str
    still: Callable[[], bool]


@dataclass(slots=True)
class Gate:
    """The listener's side: which tokens are good now."""

    secret: bytes
    _used: OrderedDict[bytes, int] = field(default_factory=OrderedDict[bytes, int])  # name -> ms
    _taken_back: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    _void_ms: int = 0

    def admit(self, room: str, token: str, now_ms: int) -> Pass | None:
        """Whose token it is, if it is good; counts as use."""
        found = read_token(self.secret, room, token)
        if found is None or self.is_taken_back(found):
            return None
        if max(found.expiry_ms, self._used.get(found.name, 0) + USED_MS) <= now_ms:
            return None
        self._used[found.name] = now_ms
        self._used.move_to_end(found.name)
        while len(self._used) > PASSES_MAX:
            self._used.popitem(last=False)
        return found

    def is_taken_back(self, held: Pass) -> bool:
        """Asked again and again of what goes on by it."""
        made_ms = held.expiry_ms - TOKEN_MS
        return made_ms <= max(self._void_ms, self._taken_back.get((held.room, held.subject), 0))

    def take_back(self, room: str, subject: str, now_ms: int) -> None:
        """What was made for ``subject`` until now is good no longer."""
        if len(self._taken_back) >= TAKEN_BACK_MAX:  # everybody has to ask for another one
            self._taken_back.clear()
            self._void_ms = now_ms
        self._taken_back[room, subject] = now_ms


def _seal(secret: bytes, room: str, body: bytes) -> bytes:
    name = room.encode()
    return hmac.digest(secret, b"KBLIVE\0" + len(name).to_bytes(2, "big") + name + body, sha256)


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
