"""Reading an upload's bytes from somebody who may stop at any moment (慢速防护).

Invariant: whoever sends nothing for ``read_within_s``, or less than ``slow_bytes_per_s`` over
``slow_window_s`` of our waiting, is sent away. Only the time in which we wait for the client
counts: a slow disk of ours is nobody's fault.
"""

import asyncio

from aiohttp import web

from server.domain.refusals import Refused
from server.http.settings import Limits


class SteadyBody:
    """The body of one request, piece by piece."""

    def __init__(self, request: web.Request, limits: Limits) -> None:
        self._content = request.content
        self._transport = request.transport
        self._limits = limits
        self._clock = asyncio.get_running_loop().time
        self._waiting_since: float | None = None
        self._waited_s = 0.0
        self._came = 0
        self.was_cut = False

    async def read(self) -> bytes:
        """The next bytes, none at the end. Raises upload.slow, body.cut, upload.taken_over."""
        self._waiting_since = began = self._clock()
        try:
            async with asyncio.timeout(self._limits.read_within_s):
                piece = await self._content.readany()
        except TimeoutError:
            raise Refused("upload.slow") from None
        except (web.RequestPayloadError, ConnectionError):
            raise Refused("upload.taken_over" if self.was_cut else "body.cut") from None
        finally:
            self._waiting_since = None
            self._waited_s += self._clock() - began
        self._judge(len(piece))
        return piece

    def silent_s(self) -> float:
        """For how long we have been waiting for the client."""
        return 0.0 if self._waiting_since is None else self._clock() - self._waiting_since

    def cut(self) -> None:
        """Ends the connection: somebody else carries on with this upload."""
        self.was_cut = True
        if self._transport is not None:
            self._transport.abort()

    def _judge(self, size: int) -> None:
        self._came += size
        if self._waited_s < self._limits.slow_window_s:
            return
        if self._came < self._limits.slow_bytes_per_s * self._waited_s:
            raise Refused("upload.slow")
        self._waited_s, self._came = 0.0, 0
