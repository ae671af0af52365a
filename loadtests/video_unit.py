"""Our forwarding unit as a child (转发进程): `python -m loadtests.video_unit`, orders on stdin.

The whole unit with its socket, ICE, DTLS and clock, on uvloop, as the media process runs it; no
recorder, because what stands beside it records nothing either.
"""

import asyncio
import threading
from typing import Any

import uvloop

from loadtests.child import obey
from media.grants import Grants, Label
from media.rooms import MediaEvent, SfuOptions, TrackOpened
from media.sfu import Sfu
from server.collector import calm_the_collector

ROOM = "opening:load"
LABELS = {"0": Label.CAMERA, "1": Label.MICROPHONE}


class Unit:
    """In the child: the loop in a thread, orders from the parent."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._tracks: list[int] = []

    def _run(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def open(self, address: str) -> int:
        """Returns the UDP port."""

        async def opened() -> int:
            self.sfu = Sfu(SfuOptions(host=address, public_addresses=(address,)), self._tell)
            await self.sfu.open()
            return self.sfu.candidates[0][1]

        return self._run(opened())

    def _tell(self, event: MediaEvent) -> None:
        if isinstance(event, TrackOpened):
            self._tracks.append(event.track)

    def publish(self, offer: str) -> str:
        """The answer to a publisher of one camera and one microphone."""

        async def published() -> str:
            self.sfu.admit(ROOM, "publisher", Grants(publish=frozenset(Label)))
            return await self.sfu.publish(ROOM, "publisher", offer, LABELS)

        return self._run(published())

    def watch(self, name: str) -> str:
        """The offer to a viewer of everything."""

        async def watched() -> str:
            self.sfu.admit(ROOM, name, Grants(watch=True))
            offer = await self.sfu.watch(ROOM, name, dict.fromkeys(self._tracks, 720))
            assert offer is not None
            return offer

        return self._run(watched())

    def answer(self, name: str, answer: str) -> None:
        async def answered() -> None:
            self.sfu.answer(ROOM, name, answer)

        self._run(answered())

    def settle(self) -> None:
        """Everybody is here."""
        calm_the_collector()


if __name__ == "__main__":
    unit = Unit()
    obey(
        {
            "open": unit.open,
            "publish": unit.publish,
            "watch": unit.watch,
            "answer": unit.answer,
            "settle": unit.settle,
        }
    )
