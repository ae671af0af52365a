"""A relay for who has no UDP to us (TURN 中继), by configuration: credentials that soon expire.

coturn's ``use-auth-secret``: the user name is the expiry, the password its HMAC under a secret that
the relay shares with us, so that it asks nobody. Invariant: pure; the secret leaves in no text, and
a user name is good for `LIFETIME_MS` at most.
"""

import base64
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

LIFETIME_MS: Final = 2 * 3600 * 1000  # what is open by then stays open
SECRET_CHARS_MIN: Final = 16
URLS_MAX: Final = 8
_URL: Final = re.compile(
    r"(stun|turns?):(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253})(:[0-9]{1,5})?"
    r"(\?transport=(udp|tcp))?"
)
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Relay:
    """``urls`` as RFC 7065 has them; ``secret`` empty: there is no relay, only ``stun:`` is told.

    Raises ValueError for what a browser or coturn would not take.
    """

    urls: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if len(self.urls) > URLS_MAX or not all(map(_URL.fullmatch, self.urls)):
            raise ValueError("media.turn_urls")
        has_relay = any(url.startswith("turn") for url in self.urls)
        if has_relay and len(self.secret) < SECRET_CHARS_MIN:
            raise ValueError("media.turn_secret")

    def ice_servers(self, member: str, now_ms: int) -> list[dict[str, Any]]:
        """What a page gives to its connections, for one member from now on."""
        plain = [url for url in self.urls if url.startswith("stun")]
        relayed = [url for url in self.urls if not url.startswith("stun")]
        servers: list[dict[str, Any]] = [{"urls": plain}] if plain else []
        if relayed:
            username, credential = self.credentials(member, now_ms)
            servers.append({"urls": relayed, "username": username, "credential": credential})
        return servers

    def credentials(self, member: str, now_ms: int) -> tuple[str, str]:
        """User name and password of one member, whose name is in the relay's log then."""
        expiry_s = (now_ms + LIFETIME_MS) // 1000
        username = f"{expiry_s}:{_UNSAFE.sub('-', member)[:64]}"
        made = hmac.digest(self.secret.encode(), username.encode(), "sha1")
        return username, base64.b64encode(made).decode()


def link_headers(servers: Sequence[dict[str, Any]]) -> list[str]:
    """The same for a WHIP client: values of Link (RFC 9725 §4.6)."""
    links: list[str] = []
    for server in servers:
        login = ""
        if "username" in server:
            login = f'; username="{server["username"]}"; credential="{server["credential"]}"'
            login += '; credential-type="password"'
        links += [f'<{url}>; rel="ice-server"{login}' for url in server["urls"]]
    return links
