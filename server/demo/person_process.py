"""One person of the demo in a process of its own.

A bidder seals here and nowhere else: its keys, seeds and plaintext never exist in another
process. Processes come from a fork server that has imported everything once, so that thirty of
them start in the time of one.
"""

import asyncio
import multiprocessing
import os
import random
import signal
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.forkserver import ensure_running
from pathlib import Path
from typing import Any

import uvloop

from crypto.keys import BoxKey, SigningKey
from server.demo.people import Bidder, TrusteeVisitor, now_ms
from server.demo.world import Person
from server.domain.model import Role
from signaling.outbox import CommandRefused


@dataclass(frozen=True, kw_only=True)
class Task:
    """What a process is told; ``seed``, ``box`` and ``sign`` are hex."""

    base: str
    room: str
    person: str
    role: str
    org: str
    org_name: str
    name: str
    seed: str
    box: str = ""
    sign: str = ""
    amount: str = ""
    days: int = 160
    manager: str = ""
    body_bytes: int = 200_000
    document: str = ""  # path of the technical file; empty: random bytes
    think_s: float = 0.0  # how long this person takes before it acts
    behaviour: str = "plain"  # plain | late | wrong_key | dropped | never
    outlives_hall: bool = False  # stays when the hall's process is gone, and waits for the next

    def who(self) -> Person:
        seed = bytes.fromhex(self.seed)
        return Person(self.person, Role(self.role), self.org, self.org_name, self.name, seed)


async def bid(task: Task) -> dict[str, Any]:
    """Register, seal, upload, SUBMIT, and on the day unlock as the behaviour says."""
    times: dict[str, Any] = {"person": task.person, "behaviour": task.behaviour}
    async with Bidder(task.base, task.who(), task.room) as bidder:
        await bidder.read_rules()
        await bidder.register()
        began = now_ms()
        fields: dict[str, str | int] = {
            "price": task.amount,
            "days": task.days,
            "manager": task.manager,
        }
        document = _document(task)
        sealed = bidder.seal(fields, document)
        times["sealed_ms"] = now_ms() - began
        await bidder.send(sealed)
        times["submitted_ms"] = now_ms() - began
        await bidder.enter(f"party:{task.org}")
        await bidder.do("sign_in")
        window = await bidder.until_kind("window_opened", "opening_failed")
        if "nonces" in window:
            await _unlock(bidder, task, window, times)
        await bidder.until_kind("prices_read_out", "opening_failed")
        assert bidder.client is not None
        times["events"] = len(bidder.heard)
        times["connects"] = bidder.client.connects
    return times


def _document(task: Task) -> bytes:
    if task.document:
        return Path(task.document).read_bytes()
    return random.Random(task.amount).randbytes(task.body_bytes)  # noqa: S311 - filler


async def _unlock(
    bidder: Bidder, task: Task, window: dict[str, Any], times: dict[str, Any]
) -> None:
    """What people do when the countdown runs."""
    assert bidder.client is not None
    assert bidder.bid is not None
    if task.behaviour == "never":
        return
    await asyncio.sleep(task.think_s)
    if task.behaviour == "late":
        await asyncio.sleep(max(0.0, (window["end_ms"] - window["start_ms"]) / 1000 * 0.6))
    if task.behaviour == "wrong_key":
        # The device sees that the key does not fit, tells so, and sends no half.
        await bidder.do(
            "report_attempt",
            bid_id=bidder.bid.headers[-1].bid_id,
            code="unlock.key_mismatch",
        )
        await asyncio.sleep(0.5)
    began = now_ms()
    pressed = asyncio.ensure_future(bidder.unlock(window))
    if task.behaviour == "dropped":
        await asyncio.sleep(0.02)
        bidder.client.cut()
    try:
        answer = await pressed
        times["unlocked_ms"] = now_ms() - began
        times["acks"] = len(answer["acks"])
    except CommandRefused as refused:
        times["refused"] = refused.code


async def release(task: Task) -> dict[str, Any]:
    async with TrusteeVisitor(task.base, task.who(), task.room) as trustee:
        trustee.box = BoxKey(bytes.fromhex(task.box))
        trustee.sign = SigningKey(bytes.fromhex(task.sign))
        await trustee.enter("staff")
        await trustee.until_kind("window_ended")
        await asyncio.sleep(task.think_s)
        began = now_ms()
        try:
            answer = await trustee.release()
            return {"person": task.person, "acks": len(answer["acks"]), "ms": now_ms() - began}
        except CommandRefused as refused:
            return {"person": task.person, "refused": refused.code}


async def _life(task: Task) -> dict[str, Any]:
    """What this person does; with the process that started it, it ends too."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    if not task.outlives_hall:
        asyncio.get_running_loop().add_reader(parent.sentinel, os._exit, 0)
    return await (release(task) if task.role == Role.TRUSTEE else bid(task))


def live(task: Task, report: Connection) -> None:
    """The process's whole life."""
    try:
        report.send(uvloop.run(_life(task)))
    except BaseException as error:
        report.send(RuntimeError(f"{type(error).__name__}: {error}"))
        raise


_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def warm_up() -> None:
    """Starts the fork server, which imports everything while its caller does something else.

    Ctrl-C goes to everybody at a terminal. It and all who come from it leave that to the caller.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)


class PersonProcess:
    """A running person; ``result`` is what it did when."""

    def __init__(self, task: Task) -> None:
        self.person = task.person
        self._reports, given = _FORKS.Pipe(duplex=False)
        self._process = _FORKS.Process(target=live, args=(task, given), daemon=True)
        self._process.start()
        given.close()

    async def result(self) -> dict[str, Any]:
        """Waits for the end. Raises RuntimeError when the person failed."""
        loop = asyncio.get_running_loop()
        told = asyncio.Event()
        loop.add_reader(self._reports.fileno(), told.set)
        try:
            await told.wait()
        finally:
            loop.remove_reader(self._reports.fileno())
        try:
            report: Any = self._reports.recv()
        except EOFError:
            report = RuntimeError("gone without a word")
        if isinstance(report, BaseException):
            raise RuntimeError(f"{self.person} failed: {report!r}") from report
        return report

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def end(self) -> None:
        if self._process.is_alive():
            self._process.terminate()
        self._process.join()
        self._reports.close()
