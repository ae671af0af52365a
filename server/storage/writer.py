"""The one thread that writes (写入线程): drains its queue, one transaction and one fsync per group.

Invariant: items are applied in the order in which they were submitted and their futures resolve in
that order, after the COMMIT that holds them is on the disk. An item that is itself wrong fails
alone. An error of the disk fails everything, once and for ever: after a failed fsync nobody knows
what is stored, so nothing is tried again (the process ends and the next one reads what is there).

Natural group commit: while one group is in its fsync the next one gathers; nobody waits on a timer.

Measured (`python -m loadtests.unlock_storm`, 2026-11-22): an instant of 1,000 unlocks is 6 groups
and 6 fsyncs of 0.3 to 1.1 ms; what the rows cost is transaction.py's.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final

import apsw

from server.domain.refusals import Refused
from server.storage.errors import JournalFailed
from server.storage.metrics import JournalMetrics
from server.storage.transaction import Transaction
from server.storage.wal_keeper import WalKeeper

GROUP_ROWS_MAX: Final = 8192
PENDING_ITEMS_MAX: Final = 65_536
IDLE_S: Final = 0.25

Work = Callable[[Transaction], Any]
Outcome = tuple["Item", Any, BaseException | None]


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """Something to be done in a transaction, and who waits for it. ``cost`` counts rows."""

    work: Work
    cost: int
    future: asyncio.Future[Any]


class Writer:
    """Owns the write connection from ``start`` to ``close``."""

    def __init__(
        self,
        connection: apsw.Connection,
        epoch: int,
        *,
        beside: Callable[[], apsw.Connection],
        loop: asyncio.AbstractEventLoop,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """``beside`` opens a second connection that copies the WAL back."""
        self.metrics = JournalMetrics()
        self._connection = connection
        self._transaction = Transaction(connection, epoch)
        self._loop = loop
        self._on_failure = on_failure
        self._queue: SimpleQueue[Item | None] = SimpleQueue()
        self._waiting = 0  # touched by the loop only
        self._failure: BaseException | None = None
        self._closing = False
        self._wal = WalKeeper(connection, beside, self.metrics)
        self._thread = threading.Thread(target=self._run, name="journal-writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(self, work: Work, cost: int) -> asyncio.Future[Any]:
        """Queues ``work``; called on the loop only, which is what keeps the order.

        Raises JournalFailed, Refused room.busy.
        """
        if self._failure is not None or self._closing:
            raise JournalFailed("the journal is closed") from self._failure
        if self._waiting >= PENDING_ITEMS_MAX:
            raise Refused("room.busy")
        future = self._loop.create_future()
        self._waiting += 1
        self._queue.put(Item(work, cost, future))
        return future

    @property
    def is_busy(self) -> bool:
        """Whether anything submitted has no answer yet; asked on the loop."""
        return self._waiting > 0

    def close(self) -> None:
        """Commits what is queued, copies the WAL back, closes the connection. Idempotent."""
        if not self._closing:
            self._closing = True
            self._queue.put(None)
        self._thread.join()

    # ---- the thread

    def _run(self) -> None:
        group: list[Item] = []
        try:
            open_ = True
            while open_:
                group, open_ = self._gather()
                if group:
                    self._tell(self._commit(group))
                self._wal.look(idle=not group)
                group = []
        except BaseException as error:
            self._fail(error, group)
        finally:
            self._close_connection()

    def _gather(self) -> tuple[list[Item], bool]:
        """Everything that is queued now, up to the size of a group; False when closing."""
        group: list[Item] = []
        rows = 0
        try:
            item = self._queue.get(timeout=IDLE_S)
            while item is not None:
                group.append(item)
                rows += item.cost
                if rows >= GROUP_ROWS_MAX:
                    return group, True
                item = self._queue.get_nowait()
        except Empty:
            return group, True
        return group, False

    def _commit(self, group: list[Item]) -> list[Outcome]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            outcomes: list[Outcome] = [(item, item.work(self._transaction), None) for item in group]
        except Exception as error:
            if _is_disk_fault(error):
                raise
            # Rare, so the common path pays no savepoints: undo, and find out whose fault it is.
            self._connection.execute("ROLLBACK")
            self._transaction.forget()
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._apply_alone(item) for item in group]
        started = time.perf_counter()
        self._connection.execute("COMMIT")
        metrics = self.metrics
        metrics.fsync_seconds.observe(time.perf_counter() - started)
        metrics.commits += 1
        metrics.items += len(group)
        metrics.rows += sum(item.cost for item in group)
        metrics.group_items.observe(len(group))
        return outcomes

    def _apply_alone(self, item: Item) -> Outcome:
        self._connection.execute("SAVEPOINT item")
        try:
            result = item.work(self._transaction)
        except Exception as error:
            if _is_disk_fault(error):
                raise
            self._connection.execute("ROLLBACK TO item")
            self._transaction.forget()
            outcome: Outcome = (item, None, error)
        else:
            outcome = (item, result, None)
        self._connection.execute("RELEASE item")
        return outcome

    def _tell(self, outcomes: list[Outcome]) -> None:
        """One wake-up of the loop per group."""
        try:
            self._loop.call_soon_threadsafe(self._resolve, outcomes)
        except RuntimeError:
            assert self._loop.is_closed()  # nobody is left to hear it; it is durable all the same

    def _fail(self, error: BaseException, group: list[Item]) -> None:
        self._failure = error
        try:
            self._loop.call_soon_threadsafe(self._fail_all, error, group)
        except RuntimeError:
            assert self._loop.is_closed()

    def _close_connection(self) -> None:
        try:
            self._wal.close()
            if self._failure is not None:
                # The WAL is left exactly as it is: the next boot decides what is in it.
                self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
            self._connection.close()
        except Exception as error:
            if self._failure is None:
                self._fail(error, [])

    # ---- on the loop

    def _resolve(self, outcomes: list[Outcome]) -> None:
        self._waiting -= len(outcomes)
        for item, result, error in outcomes:
            if item.future.done():
                continue  # whoever waited was cancelled; what it asked for is durable
            if error is None:
                item.future.set_result(result)
            else:
                item.future.set_exception(error)

    def _fail_all(self, error: BaseException, group: list[Item]) -> None:
        """Nothing that waits was promised; and nothing can be promised any more."""
        while True:
            try:
                item = self._queue.get_nowait()
            except Empty:
                break
            if item is not None:
                group.append(item)
        for item in group:
            if not item.future.done():
                failed = JournalFailed(str(error))
                failed.__cause__ = error
                item.future.set_exception(failed)
        self._on_failure(error)


def _is_disk_fault(error: Exception) -> bool:
    """A constraint is broken by a caller; every other complaint of SQLite is about the disk."""
    if isinstance(error, apsw.Error):
        return not isinstance(error, apsw.ConstraintError)
    return isinstance(error, (OSError, MemoryError))
