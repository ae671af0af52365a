"""What edges may ask (边缘入口), behind a secret that owner and edges share.

Invariant: without the secret the address does not exist; with it there is nothing that a viewer
could not hear as well.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

SECRET_HEADER: Final = "X-Kaibiao-Edge"  # noqa: S105 - a name
HEADS_PATH: Final = "/edge/heads"
BOOT_LENGTH_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class EdgeDoor:
    """``heads``: (boot, version) -> the answer of ``GET /edge/heads``."""

    secret: str
    heads: Callable[[str, int], Mapping[str, Any]]

    def knows(self, request: web.Request) -> bool:
        shown = request.headers.get(SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        return hmac.compare_digest(shown, self.secret.encode())


EDGE_DOOR: Final = web.AppKey("edge_door", EdgeDoor)
