"""Those that fan out (参赛者): our server and its peers behind one set of questions.

Invariant: each runs in a process of its own, serves the same seats at the same pace with the same
payloads, and its CPU is the kernel's word about that process.
"""

import json
import subprocess
from abc import abstractmethod
from pathlib import Path
from typing import Any

from loadtests.child import STOP_WITHIN_S, Child
from loadtests.machine import cpu_s, rss_bytes
from loadtests.site import SiteUnderLoad
from signaling.codec import ChannelKey
from signaling.frames import event_payload
from signaling.gateway import Event

PEERS = Path(__file__).parent / "peers"
STREAM = "opening:fanout"
KIND = "window_changed"


class Contestant:
    """``name`` is also the name of its row of seats."""

    def __init__(self, name: str, pid: int) -> None:
        self.name = name
        self.pid = pid

    @abstractmethod
    def seats(self, numbers: range) -> dict[str, Any]:
        """Arguments of a crowd's ``join``."""

    @abstractmethod
    def fan(self, payloads: list[bytes], every_ms: int) -> list[int]:
        """Sends as many events as there are payloads. When each was committed or begun, in ns."""

    def expect(self, count: int) -> None:
        """So many seats will come; it lets them in from now on."""

    def all_in(self) -> None:
        """Waits until it has let all of them in."""

    def close(self) -> None:
        """Ends its process."""

    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    def rss_bytes(self) -> int:
        return rss_bytes(self.pid)


class Ours(Contestant):
    """The host extends a countdown: decided, journaled with an fsync, then fanned out. The
    payloads are its own; those given only say how many.
    """

    def __init__(self, site: SiteUnderLoad) -> None:
        super().__init__("kaibiao", site.server.pid)
        self._site = site
        self._room = STREAM.split(":", 1)[1]

    def seats(self, numbers: range) -> dict[str, Any]:
        positions = [[[STREAM, "hall", 0, 0]]] * len(numbers)
        return self._site.seats(self.name, numbers) | {"positions": positions}

    def fan(self, payloads: list[bytes], every_ms: int) -> list[int]:
        return self._site.server.ask(
            "extend", room=self._room, times=len(payloads), every_ms=every_ms
        )

    def payloads(self, count: int) -> list[bytes]:
        """What its events look like on the wire, for the others to send."""
        found = self._site.server.ask("hall_events", room=self._room, after=0)
        like = next(event for event in reversed(found) if event[2] == KIND)
        _, server_ms, kind, body, digest = like
        key = ChannelKey(STREAM, "hall")
        return [
            event_payload(key, 1, Event(seq, server_ms, kind, body, digest))
            for seq in range(1, count + 1)
        ]


class Peer(Contestant):
    """A Python peer; raw sockets where ``greets`` is false."""

    def __init__(self, name: str, module: str, site: SiteUnderLoad, *, greets: bool) -> None:
        self._child = Child(module)
        super().__init__(name, self._child.pid)
        self._site = site
        self._greets = greets
        self._port = self._child.ask("listen")

    def seats(self, numbers: range) -> dict[str, Any]:
        seats = self._site.raw_seats(self.name, numbers, self._port)
        return seats | ({"origin": self._site.origin} if self._greets else {})

    def expect(self, count: int) -> None:
        self._child.tell("accept", count=count)

    def all_in(self) -> None:
        self._child.answer()

    def fan(self, payloads: list[bytes], every_ms: int) -> list[int]:
        return self._child.ask("fan", payloads=payloads, every_ms=every_ms)

    def close(self) -> None:
        self._child.close()


class NodePeer(Contestant):
    """Node's ws."""

    def __init__(self, site: SiteUnderLoad) -> None:
        self._process = subprocess.Popen(
            ["node", str(PEERS / "ws_server.mjs")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        super().__init__("ws (Node)", self._process.pid)
        self._site = site
        self._tell("listen")
        self._port = self._answer()

    def _tell(self, order: str, **arguments: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([order, arguments]).encode() + b"\n")
        self._process.stdin.flush()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def seats(self, numbers: range) -> dict[str, Any]:
        seats = self._site.raw_seats(self.name, numbers, self._port)
        return seats | {"origin": self._site.origin}

    def expect(self, count: int) -> None:
        self._tell("accept", count=count)

    def all_in(self) -> None:
        self._answer()

    def fan(self, payloads: list[bytes], every_ms: int) -> list[int]:
        self._tell("fan", payloads=[p.hex() for p in payloads], every_ms=every_ms)
        return self._answer()

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(STOP_WITHIN_S)
        self._process.stdout.close()
