"""Child processes that take orders (子进程): msgpack over stdin and stdout, one answer per order.

Invariant: the parent never waits for two children in a way that can deadlock: a child reads its
next order only after its answer was written, and the parent sends all orders of a round before it
reads the first answer. A child ends when its stdin ends, so nothing outlives the load test.
"""

import os
import select
import struct
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import msgpack

LENGTH = struct.Struct(">I")
ANSWER_BYTES_MAX = 1 << 30
STOP_WITHIN_S = 60.0
IDLE_S = 2.0

Order = Callable[..., Any]


class ChildFailed(Exception):
    """A child answered with an error, or went away."""


class Child:
    """One child process; ``module`` is run with ``python -m``, or ``command`` as it stands."""

    def __init__(self, module: str = "", *, command: Sequence[str] = ()) -> None:
        self.name = module or command[0]
        arguments = list(command) or [sys.executable, "-m", module]
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def tell(self, order: str, **arguments: Any) -> None:
        """Sends an order; its answer must be read before the next one is told."""
        assert self._process.stdin is not None
        raw = msgpack.packb([order, arguments])
        assert isinstance(raw, bytes)
        try:
            self._process.stdin.write(LENGTH.pack(len(raw)) + raw)
        except BrokenPipeError:
            raise ChildFailed(f"{self.name} is gone") from None

    def answer(self) -> Any:
        """The answer to the order told last. Raises ChildFailed."""
        (length,) = LENGTH.unpack(self._read(LENGTH.size))
        assert length <= ANSWER_BYTES_MAX
        done, value = msgpack.unpackb(self._read(length), strict_map_key=False)
        if not done:
            raise ChildFailed(f"{self.name}: {value}")
        return value

    def ask(self, order: str, **arguments: Any) -> Any:
        self.tell(order, **arguments)
        return self.answer()

    def close(self) -> None:
        """Ends the child: first politely."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        parts: list[bytes] = []
        while size:
            part = self._process.stdout.read(size)
            if not part:
                raise ChildFailed(f"{self.name} is gone")
            parts.append(part)
            size -= len(part)
        return b"".join(parts)


def ask_all(children: Sequence[Child], order: str, each: Sequence[Mapping[str, Any]]) -> list[Any]:
    """One order to every child at the same time, with arguments of its own."""
    for child, arguments in zip(children, each, strict=True):
        child.tell(order, **arguments)
    return [child.answer() for child in children]


# ---- in the child


def answers_fd() -> int:
    """Where answers go; from now on ``print`` goes to stderr and cannot disturb them."""
    fd = os.dup(1)
    os.dup2(2, 1)
    return fd


def read_order(size: int) -> bytes:
    """Exactly ``size`` bytes of stdin; empty at its end."""
    parts: list[bytes] = []
    while size:
        part = os.read(0, min(size, 1 << 20))
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def packed_answer(value: Any, *, done: bool = True) -> bytes:
    raw = msgpack.packb([done, value])
    assert isinstance(raw, bytes)
    return LENGTH.pack(len(raw)) + raw


def write_all(fd: int, raw: bytes) -> None:
    rest = memoryview(raw)
    while rest:
        rest = rest[os.write(fd, rest) :]


def obey(orders: Mapping[str, Order], between: Callable[[], None] | None = None) -> None:
    """Carries out orders until stdin ends. ``between``: done now and then while there is none."""
    fd = answers_fd()
    while True:
        while between is not None and not select.select([0], [], [], IDLE_S)[0]:
            between()
        head = read_order(LENGTH.size)
        if not head:
            return
        (length,) = LENGTH.unpack(head)
        name, arguments = msgpack.unpackb(read_order(length), strict_map_key=False)
        try:
            raw = packed_answer(orders[name](**arguments))
        except Exception as error:
            raw = packed_answer(f"{name}: {type(error).__name__}: {error}", done=False)
        write_all(fd, raw)
