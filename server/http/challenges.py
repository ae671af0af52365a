"""Login challenges (登录质询): 32 random bytes, for one key, answered once within a minute.

Invariant: a challenge is deleted when it is first shown back, whatever comes of it; so no answer
can be replayed. The store is bounded for each address and for all, and one address's flood never
pushes out another's challenge.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from crypto.keys import random_bytes
from server.domain.refusals import Refused
from server.http.login_message import CHALLENGE_SIZE
from server.http.settings import Limits


@dataclass(frozen=True, slots=True)
class Challenge:
    """An open question."""

    public: bytes
    address: str
    expiry_ms: int


class Challenges:
    """The open challenges, oldest first."""

    def __init__(self, limits: Limits, now_ms: Callable[[], int]) -> None:
        self._limits = limits
        self._now_ms = now_ms
        self._open: OrderedDict[bytes, Challenge] = OrderedDict()
        self._of_address: dict[str, int] = {}

    def issue(self, public: bytes, address: str) -> tuple[bytes, int]:
        """(challenge, expiry_ms) for this login key; it is not said whether the key is known."""
        self._sweep()
        if self._of_address.get(address, 0) >= self._limits.challenges_per_address_max:
            raise Refused("auth.too_many")
        if len(self._open) >= self._limits.challenges_max:
            raise Refused("auth.busy")
        question = random_bytes(CHALLENGE_SIZE)
        expiry_ms = self._now_ms() + self._limits.challenge_ms
        self._open[question] = Challenge(public, address, expiry_ms)
        self._of_address[address] = self._of_address.get(address, 0) + 1
        return question, expiry_ms

    def spend(self, question: bytes, public: bytes, expiry_ms: int) -> bool:
        """Whether this was an open challenge for this key; it is open no more."""
        challenge = self._open.get(question)
        if challenge is None:
            return False
        self._drop(question)
        return (
            challenge.public == public
            and challenge.expiry_ms == expiry_ms
            and self._now_ms() < challenge.expiry_ms
        )

    def _sweep(self) -> None:
        now = self._now_ms()
        while self._open:
            question, challenge = next(iter(self._open.items()))
            if challenge.expiry_ms > now:
                break
            self._drop(question)

    def _drop(self, question: bytes) -> None:
        address = self._open.pop(question).address
        left = self._of_address[address] - 1
        if left:
            self._of_address[address] = left
        else:
            del self._of_address[address]
