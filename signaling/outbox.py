"""Commands on their way, at the client's end (待答命令).

Invariant: a command is settled once; until then it is asked again on every new connection, always
under the same ``cmd_id``, so that the server answers a repeat from its books.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any, Final

BUSY_TRIES_MAX: Final = 5
_BUSY_FIRST_MS: Final = 200


class CommandRefused(Exception):
    """The server said no. ``code`` is stable."""

    def __init__(self, code: str, is_retryable: bool, detail: dict[str, Any]) -> None:
        super().__init__(code)
        self.code = code
        self.is_retryable = is_retryable
        self.detail = detail


class _Pending:
    """A command without an answer."""

    __slots__ = ("answer", "frame_tail", "tries")

    def __init__(self, frame_tail: tuple[Any, ...]) -> None:
        self.frame_tail = frame_tail
        self.tries = 0
        self.answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()


class Outbox:
    """All unanswered commands of one client. ``send`` takes a frame, and may drop it."""

    def __init__(self, send: Callable[[list[Any]], None]) -> None:
        self._send = send
        self._pending: dict[str, _Pending] = {}
        self._last_n = 0
        self._failed: Exception | None = None

    async def ask(self, room: str, op: str, args: dict[str, Any], cmd_id: str | None) -> Any:
        """The result. Raises ``CommandRefused``, or what `fail_all` was given before."""
        if self._failed is not None:
            raise self._failed
        cmd_id = cmd_id or uuid.uuid4().hex
        pending = self._pending[cmd_id] = _Pending((cmd_id, room, op, args))
        self._transmit(pending)
        try:
            return await pending.answer
        finally:
            del self._pending[cmd_id]

    def transmit_all(self) -> None:
        """A new connection: ask for everything again."""
        for pending in self._pending.values():
            self._transmit(pending)

    def settle(self, cmd_id: str, result: Any) -> None:
        pending = self._pending.get(cmd_id)
        if pending is not None and not pending.answer.done():
            pending.answer.set_result(result)

    def refuse(self, cmd_id: str, code: str, is_retryable: bool, detail: dict[str, Any]) -> None:
        """A refusal; signaling's own "not so fast" is obeyed rather than passed on."""
        pending = self._pending.get(cmd_id)
        if pending is None or pending.answer.done():
            return
        if code != "command.too_many" or pending.tries >= BUSY_TRIES_MAX:
            pending.answer.set_exception(CommandRefused(code, is_retryable, detail))
            return
        after_ms = detail.get("retry_after_ms", _BUSY_FIRST_MS << pending.tries)
        pending.tries += 1
        asyncio.get_running_loop().call_later(after_ms / 1000, self._again, cmd_id)

    def fail_all(self, error: Exception | None) -> None:
        """Nobody will answer any more: cancelled, or failed with ``error``, and so is whatever is
        asked from now on.
        """
        self._failed = error
        for pending in self._pending.values():
            if pending.answer.done():
                continue
            if error is None:
                pending.answer.cancel()
            else:
                pending.answer.set_exception(error)

    def _again(self, cmd_id: str) -> None:
        pending = self._pending.get(cmd_id)
        if pending is not None and not pending.answer.done():
            self._transmit(pending)

    def _transmit(self, pending: _Pending) -> None:
        self._last_n += 1
        self._send(["cmd", self._last_n, *pending.frame_tail])
