"""Cameras that are fetched by RTSP, in the media process (取流), as the site's process orders.

Invariant: one for each camera of a room; it ends when its member is dismissed or its room ends.
"""

import asyncio
import logging
from collections.abc import Mapping

from media.camera_line import CameraLine
from media.errors import CameraFailed
from media.rtsp_camera import CameraChanged, RtspCamera
from media.sfu import Sfu

log = logging.getLogger("kaibiao.live")


class Fetching:
    """Of one media process."""

    def __init__(self, sfu: Sfu) -> None:
        self._sfu = sfu
        self._cameras: dict[tuple[str, str], RtspCamera] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def fetch(self, value: Mapping[str, str]) -> None:
        """From now on. Idempotent."""
        line = CameraLine(value["room"], value["name"], value["url"])
        where = (line.room, line.member)
        if where in self._cameras:
            return
        try:
            camera = self._cameras[where] = RtspCamera(self._sfu, line, _tell)
        except CameraFailed as failed:
            log.error("live.camera %s: %s", line.name, failed.code)
            return
        camera.start()

    def dismiss(self, room: str, member: str) -> None:
        camera = self._cameras.pop((room, member), None)
        if camera is not None:
            task = asyncio.ensure_future(camera.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def end_room(self, room: str) -> None:
        for where in [one for one in self._cameras if one[0] == room]:
            self.dismiss(*where)

    async def close(self) -> None:
        for where in list(self._cameras):
            self.dismiss(*where)
        await asyncio.gather(*self._closing, return_exceptions=True)


def _tell(changed: CameraChanged) -> None:
    if changed.playing:
        log.info("live.camera %s plays %s", changed.member, changed.notice)
