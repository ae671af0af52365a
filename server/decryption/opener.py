"""An opener (开启进程): another process of ours, for work that mostly holds the interpreter.

Invariant: what an opener is asked is done, exactly once for the caller and with the same result,
whatever becomes of the opener: one that dies, fails or is silent too long is ended, and its part is
done here. It is given what it needs and nothing else: no key of the site, no file, no socket but
the line to us (our environment it inherits). It goes when that line ends, also when we are killed.

Functions and items travel pickled: functions by their names, headers as their bytes.
"""

import logging
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Final, Generic, NamedTuple, TypeVar

MODULE: Final = "server.decryption.opener_process"
SILENT_S: Final = 20.0  # it has a second's work at most; so long a silence is a hang
END_S: Final = 2.0

T = TypeVar("T")
R = TypeVar("R")

log = logging.getLogger("kaibiao.opener")


class OpenerFailed(Exception):
    """It is gone, silent, or could not do what it was asked."""


class Asked(NamedTuple, Generic[R]):
    """Of what an opener was asked: the question is out of our interpreter; the answer is in it."""

    sent: "Future[None]"
    done: "Future[list[R]]"


class Opener:
    """One process, begun by the first ``prepare``, and the one thread that talks to it: what is
    asked meanwhile waits its turn.
    """

    def __init__(self, nice: int) -> None:
        self._nice = nice
        self._thread = ThreadPoolExecutor(1, "opener")
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Connection[Any, Any] | None = None
        self._newest: Future[Any] | None = None
        self._owes = False  # an answer
        self.is_ready = False  # it has answered

    @property
    def pid(self) -> int:
        return self._process.pid if self._process is not None else 0

    @property
    def is_idle(self) -> bool:
        """Ready, and whatever it was asked is done."""
        return self.is_ready and (self._newest is None or self._newest.done())

    def prepare(self, items: Sequence[object]) -> "Future[None]":
        """Begins it, if there is none, and shows it what it will meet: functions, so that their
        modules are imported, headers, so that they are known. Soon ``is_ready``.
        """
        prepared = self._newest = self._thread.submit(self._prepare, items)
        return prepared

    def run(self, work: Callable[[T], R], items: Sequence[T]) -> Asked[R]:
        """``[work(x) for x in items]``, there or, failing that, in the thread here. Of one thread:
        question and answer stand in the queue as a pair.
        """
        sent = self._thread.submit(self._send, work, items)
        done = self._newest = self._thread.submit(self._receive, work, items)
        return Asked(sent, done)

    def close(self) -> None:
        """Ends the process; what it was at is done here."""
        if self._process is not None:
            self._process.kill()
        self._thread.shutdown(wait=True, cancel_futures=True)
        self._end()

    # ---- in the thread

    def _prepare(self, items: Sequence[object]) -> None:
        try:
            if self._line is None:
                self._begin()
            self._ask(_known, items)
            self._answer()
            self.is_ready = True
        except Exception as error:
            self._lost(error)

    def _send(self, work: Callable[[T], R], items: Sequence[T]) -> None:
        if not self.is_ready:
            return
        try:
            self._ask(work, items)
            self._owes = True
        except Exception as error:
            self._lost(error)

    def _receive(self, work: Callable[[T], R], items: Sequence[T]) -> list[R]:
        if self._owes:
            self._owes = False
            try:
                return self._answer()
            except Exception as error:
                self._lost(error)
        return [work(item) for item in items]

    def _ask(self, work: Callable[[Any], object], items: Sequence[object]) -> None:
        assert self._line is not None
        self._line.send((work, items))

    def _answer(self) -> Any:
        assert self._line is not None
        if not self._line.poll(SILENT_S):
            raise OpenerFailed(f"silent for {SILENT_S:g} s")
        is_done, value = self._line.recv()
        if not is_done:
            raise OpenerFailed(value)
        return value

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        # Also of one that stops in the midst of a question or an answer.
        patience = struct.pack("ll", *divmod(int(SILENT_S * 1_000_000), 1_000_000))
        for option in (socket.SO_SNDTIMEO, socket.SO_RCVTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, option, patience)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - ourselves
                [sys.executable, "-m", MODULE, str(theirs.fileno()), str(self._nice)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # a Ctrl-C is the site's to answer
            )
        self._line = Connection(ours.detach())

    def _lost(self, error: Exception) -> None:
        # Not its words: they may hold bytes of a bid.
        log.warning("opener lost, its part is done here: %s", type(error).__name__)
        self._end()

    def _end(self) -> None:
        self.is_ready = False
        line, process = self._line, self._process
        self._line = self._process = None
        if line is not None:
            line.close()
        if process is None:
            return
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _known(_item: object) -> None:
    """Nothing is done with it: reading it has imported its module, or made its header known."""


def serve(line: "Connection[Any, Any]", nice: int) -> None:
    """The opener's own end: answers until the line ends."""
    os.nice(nice)
    while True:
        try:
            work, items = line.recv()
        except EOFError:
            return
        try:
            answer = True, [work(item) for item in items]
        except Exception as error:
            answer = False, type(error).__name__
        line.send(answer)
