"""Centrifugo as a peer of `fanout` (同类软件): started as it is released, in memory, on both cores.

Clients speak its protobuf protocol over a WebSocket and hear one channel without history; each
event is one publish over its HTTP API. Invariant: its CPU is the kernel's word about its process,
like everybody's. Nothing is built here: `make build/peers/centrifugo` where Go is installed.
"""

import base64
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from loadtests.child import STOP_WITHIN_S
from loadtests.contestants import Contestant
from loadtests.ports import free_port
from loadtests.site import SiteUnderLoad

BUILT = Path(__file__).parents[1] / "build" / "peers" / "centrifugo"
NAME, CHANNEL, API_KEY = "Centrifugo", "fanout", "load-test"
READY_WITHIN_S = 60.0


def program() -> str | None:
    """Where it is; None: it is absent."""
    return str(BUILT) if BUILT.exists() else shutil.which("centrifugo")


def _delimited(command: bytes) -> bytes:
    assert len(command) < 128
    return bytes([len(command)]) + command


def greeting() -> bytes:
    """Its protobuf: Command{id: 1, connect: {}} and Command{id: 2, subscribe: {channel}}."""
    channel = b"\x0a" + bytes([len(CHANNEL)]) + CHANNEL.encode()
    subscribe = b"\x08\x02\x2a" + bytes([len(channel)]) + channel
    return _delimited(b"\x08\x01\x22\x00") + _delimited(subscribe)


class Centrifugo(Contestant):
    """One node with its memory engine."""

    def __init__(self, path: str, site: SiteUnderLoad) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="kaibiao-centrifugo-")
        config = Path(self._folder.name) / "config.json"
        config.write_text(
            json.dumps(
                {
                    "client_insecure": True,  # anybody may hear any channel, as viewers of a hall
                    "allowed_origins": ["*"],
                    "api_key": API_KEY,
                    "ping_interval": "600s",  # ours waits for 20 s of silence; a round is shorter
                    "log_level": "error",
                    # A generator that stands still for a second on a busy machine is not slow.
                    "websocket_write_timeout": "20s",
                }
            )
        )
        self._port = free_port()
        command = [path, "-c", str(config), "-a", "127.0.0.1", "-p", str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        super().__init__(NAME, self._process.pid)
        self._site = site
        self._await_listener()
        self._api = http.client.HTTPConnection("127.0.0.1", self._port)

    def _await_listener(self) -> None:
        give_up = time.monotonic() + READY_WITHIN_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self._port)).close()
                return
            except OSError:
                assert time.monotonic() < give_up, "Centrifugo does not listen"
                time.sleep(0.05)

    def seats(self, numbers: range) -> dict[str, Any]:
        return self._site.raw_seats(self.name, numbers, self._port) | {
            "origin": self._site.origin,
            "path": "/connection/websocket",
            "subprotocol": "centrifuge-protobuf",
            "greeting": greeting(),
        }

    def fan(self, payloads: list[bytes], every_ms: int) -> list[int]:
        begun: list[int] = []
        started = time.perf_counter()
        for number, payload in enumerate(payloads):
            data = base64.b64encode(payload).decode()
            body = json.dumps({"channel": CHANNEL, "b64data": data})
            time.sleep(max(0.0, started + number * every_ms / 1000 - time.perf_counter()))
            begun.append(time.perf_counter_ns())
            self._api.request("POST", "/api/publish", body, {"X-API-Key": API_KEY})
            answer = self._api.getresponse()
            said = answer.read()
            assert answer.status == 200, said
            assert b'"error"' not in said, said
        return begun

    def close(self) -> None:
        self._api.close()
        self._process.kill()  # asked politely it would see its clients off for longer than a round
        self._process.wait(STOP_WITHIN_S)
        self._folder.cleanup()
