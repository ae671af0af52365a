"""How the HTTP side is set up (设置): the public origin, who may stand before us, and every limit.

Invariant: a limit is a number here and nowhere else; ``*_MAX`` in other modules of this folder are
limits of a format, not of a site.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

WS_PATH: Final = "/ws"


@dataclass(frozen=True, slots=True)
class Rate:
    """A bucket (令牌桶): ``burst`` at once, then ``per_minute``."""

    burst: int
    per_minute: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Everything that is bounded. ``*_s`` are waiting times of sockets, seconds."""

    # small bodies
    auth_body_max: int = 4096
    command_body_max: int = 1 << 20
    body_within_s: float = 10.0
    # sessions
    challenges_max: int = 65_536
    challenges_per_address_max: int = 4096
    challenge_ms: int = 60_000
    sessions_max: int = 50_000
    sessions_per_person_max: int = 16
    session_idle_ms: int = 8 * 3_600_000
    session_absolute_ms: int = 24 * 3_600_000
    ticket_ms: int = 30_000
    tickets_per_session_max: int = 8
    addresses_max: int = 50_000
    challenge_rate: Rate = Rate(60, 120)
    login_rate: Rate = Rate(30, 60)
    command_rate: Rate = Rate(60, 600)
    card_rate: Rate = Rate(60, 60)  # as on the socket: a card needs no session
    upload_rate: Rate = Rate(60, 120)
    lookup_rate: Rate = Rate(3000, 12_000)
    # long polls
    poll_wait_ms_max: int = 25_000
    polls_max: int = 4000
    polls_per_address_max: int = 256
    poll_events_max: int = 500
    # uploads
    uploads_per_org_max: int = 16
    upload_bytes_per_org_max: int = 64 << 30
    writers_per_org_max: int = 4
    writers_max: int = 512
    upload_idle_ms: int = 24 * 3_600_000
    upload_resting_ms: int = 60_000
    metadata_size_max: int = 2048
    core_size_max: int = 512
    header_size_max: int = 8192
    checked_patch_max: int = 4 << 20
    checked_bytes_max: int = 64 << 20
    read_within_s: float = 20.0
    slow_window_s: float = 30.0
    slow_bytes_per_s: int = 8192
    takeover_after_s: float = 2.0
    # connections
    keepalive_s: float = 15.0
    lingering_s: float = 2.0
    shutdown_s: float = 3.0
    header_line_max: int = 8190
    headers_max: int = 64


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """One site.

    ``origin`` is what browsers send as Origin and what a login signs: scheme://host[:port], nothing
    behind. ``hosts`` are further names that a Host header may carry (the proxy's view of us).
    ``proxies`` are peers whose last X-Forwarded-For hop is believed; nobody else's is.
    ``ws_port`` None: signaling is reached under the same origin. ``edges``: where pages of viewers
    find other processes that serve them, as ws:// addresses or paths of our origin. ``media_port``:
    where the fragments of live video are; None: under the same origin, or nowhere.
    """

    origin: str
    version: str = "0"
    hosts: frozenset[str] = frozenset()
    proxies: frozenset[str] = frozenset()
    ws_port: int | None = None
    edges: tuple[str, ...] = ()
    media_port: int | None = None
    demo: bool = False
    site_name: str = ""  # on every page, as is whom to call; empty: the site has not said
    help_phone: str = ""
    pages: Path | None = None
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        parts = urlsplit(self.origin)
        assert parts.scheme in ("http", "https"), "an origin is http or https"
        assert self.origin == f"{parts.scheme}://{parts.netloc}", "an origin has no path"
        assert 0 < len(self.origin.encode()) <= 255, "an origin is signed with a one-byte length"

    @property
    def is_secure(self) -> bool:
        """Whether browsers reach us by TLS; then cookies are ``__Host-`` and Secure."""
        return self.origin.startswith("https://")

    @property
    def known_hosts(self) -> frozenset[str]:
        """Every Host header that is ours. Anything else is a rebinding or a misrouted request."""
        return self.hosts | {urlsplit(self.origin).netloc.lower()}

    @property
    def ws_origins(self) -> tuple[str, ...]:
        """Everywhere that a page may open a WebSocket, for the content security policy."""
        absolute = [urlsplit(url) for url in self.edges if not url.startswith("/")]
        edges = {f"{parts.scheme}://{parts.netloc}" for parts in absolute}
        return (self.ws_origin, *sorted(edges - {self.ws_origin}))

    @property
    def ws_origin(self) -> str:
        """Where signaling is."""
        scheme = "wss" if self.is_secure else "ws"
        if self.ws_port is None:
            return f"{scheme}://{urlsplit(self.origin).netloc}"
        return self._at(scheme, self.ws_port)

    @property
    def media_origins(self) -> tuple[str, ...]:
        """Where fragments are fetched, and where they are streamed; none: nowhere else."""
        if self.media_port is None:
            return ()
        schemes = ("https", "wss") if self.is_secure else ("http", "ws")
        return tuple(self._at(scheme, self.media_port) for scheme in schemes)

    def _at(self, scheme: str, port: int) -> str:
        """Another port of our host."""
        host = urlsplit(self.origin).hostname or ""
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
