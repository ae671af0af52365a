"""What the site and its edges agree on (约定): configuration, and whose note is whose.

Addresses of viewers are told under a name that only who has the secret can make.
"""

from hashlib import blake2b
from urllib.parse import urlsplit

from crypto.errors import Rejected
from server.config import Edges

SECRET_LENGTH_MIN = 32
OWNER_NOTE = "owner"
EDGE_NOTE = "edge-"


def check(edges: Edges) -> None:
    """Raises Rejected config.invalid, which names the key."""
    if urlsplit(edges.redis).scheme not in ("redis", "rediss", "unix"):
        raise Rejected("config.invalid", "edges.redis is no redis:// address")
    if len(edges.secret) < SECRET_LENGTH_MIN:
        raise Rejected("config.invalid", f"edges.secret is shorter than {SECRET_LENGTH_MIN}")
    if urlsplit(edges.owner).scheme not in ("http", "https"):
        raise Rejected("config.invalid", "edges.owner is no http:// address")
    for url in edges.urls:
        if not url.startswith("/") and urlsplit(url).scheme not in ("ws", "wss"):
            raise Rejected("config.invalid", f"edges.urls: {url} is neither ws:// nor a path")


def address_name(secret: str, address: str) -> str:
    """What an address is called between processes."""
    key = blake2b(secret.encode(), digest_size=32).digest()
    return blake2b(address.encode(), key=key, digest_size=8).hexdigest()
