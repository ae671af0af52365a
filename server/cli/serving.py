"""`kaibiao serve` and `kaibiao edge`: until SIGTERM; and how a configuration is found wrong."""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from crypto.errors import Rejected
from server import config as configuration

if TYPE_CHECKING:
    from server.config import Config


def configured(path: Path | None) -> "Config":
    """The configuration in force. Raises Rejected config.invalid, which names the key."""
    try:
        return configuration.load(path)
    except (msgspec.ValidationError, ValueError) as error:
        raise Rejected("config.invalid", str(error)) from error


def run(path: Path | None) -> None:
    """Raises Rejected storage.*, config.invalid, and OSError (a port that is taken)."""
    config = configured(path)
    import uvloop

    from server.app import DiskFailed, serve
    from server.storage.errors import StorageUnusable

    try:
        uvloop.run(serve(config))
    except StorageUnusable as unusable:
        raise Rejected(unusable.code, unusable.detail) from unusable
    except DiskFailed as failed:
        raise Rejected("storage.failed", str(failed)) from failed


def run_edge(path: Path | None, port: int | None, health_port: int | None) -> None:
    """Raises Rejected config.invalid, and OSError (a port that is taken)."""
    config = configured(path)
    import uvloop
    from msgspec.structs import replace

    from server.edge.app import serve

    given = {"ws_port": port, "health_port": health_port}
    changes = {name: value for name, value in given.items() if value is not None}
    uvloop.run(serve(replace(config, edges=replace(config.edges, **changes))))
