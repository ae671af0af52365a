"""What strangers may write into our log (日志噪音): nothing.

aiohttp writes a traceback for each request that is none. Whoever wants could fill a disk with them,
and a token that stands in a path would be in the log. Invariant: mistakes of our own are logged as
before.
"""

import logging

from aiohttp.http_exceptions import HttpProcessingError


def _is_ours(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)


def hush_strangers() -> None:
    """Idempotent."""
    # A viewer's list of protocols, with his address.
    logging.getLogger("aiohttp.websocket").setLevel(logging.ERROR)
    logging.getLogger("aiohttp.server").addFilter(_is_ours)
