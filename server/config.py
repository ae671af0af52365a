"""Configuration (配置): one struct; a TOML file and the environment fill it in.

Every key can be given as ``KAIBIAO_SECTION__KEY``; the environment wins over the file.
`kaibiao.example.toml` is printed from this file (`kaibiao config example`), so it cannot
disagree with it.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from media.errors import CameraFailed
from media.rtsp_login import parse_url
from server.live.turn import Relay

ENVIRONMENT_PREFIX = "KAIBIAO_"
FILE_BYTES_MAX = 1 << 20
Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Site(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who we are."""

    origin: Annotated[str, msgspec.Meta(description="what browsers see as our origin")] = (
        "http://127.0.0.1:8420"
    )
    name: Annotated[
        str, msgspec.Meta(max_length=40, description="what the centre is called, on every page")
    ] = ""
    help_phone: Annotated[
        str,
        msgspec.Meta(
            pattern=r"^[0-9+() -]{0,32}$",
            description="whom people in trouble call; empty: the tender documents' number",
        ),
    ] = ""
    log_origin: Annotated[
        str, msgspec.Meta(description="name of the site log, <public host>/kaibiao/log")
    ] = "localhost/kaibiao/log"
    data: Annotated[str, msgspec.Meta(description="where journal, blobs and keys lie")] = "data"
    test_suites: Annotated[
        bool, msgspec.Meta(description="tenders may name the test suite; never in production")
    ] = False
    demo: Annotated[bool, msgspec.Meta(description="shows login links for everybody")] = False


class Listen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where we listen. Put a reverse proxy with TLS in front of the first two."""

    host: Annotated[str, msgspec.Meta(description="address of all three listeners")] = "127.0.0.1"
    http_port: Annotated[Port, msgspec.Meta(description="pages, uploads, REST")] = 8420
    ws_port: Annotated[Port, msgspec.Meta(description="signaling, path /ws")] = 8421
    health_port: Annotated[Port, msgspec.Meta(description="/livez /readyz /metrics")] = 8422
    ws_behind_origin: Annotated[
        bool, msgspec.Meta(description="a proxy serves /ws under the same origin")
    ] = False
    public_hosts: Annotated[
        list[str], msgspec.Meta(description="Host headers taken beside the origin's own")
    ] = []
    trusted_proxies: Annotated[
        list[str], msgspec.Meta(description="whose X-Forwarded-For is believed")
    ] = []


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one process takes on."""

    connections: Annotated[int, msgspec.Meta(description="WebSockets at once")] = 15_000
    connections_per_address: Annotated[int, msgspec.Meta(description="of one address")] = 512
    connections_per_session: Annotated[int, msgspec.Meta(description="of one login")] = 32
    memory_mib: Annotated[
        int, msgspec.Meta(ge=0, description="resident; above it nobody new is let in, 0: no limit")
    ] = 4096
    handshakes_per_s: Annotated[int, msgspec.Meta(description="more get 503, Retry-After")] = 2000
    rooms: Annotated[
        int, msgspec.Meta(ge=3, description="of tenders (two each) and meetings, kept in memory")
    ] = 20_000
    decrypt_workers: Annotated[int, msgspec.Meta(description="0: as many as cores")] = 0
    requests_per_minute: Annotated[
        int, msgspec.Meta(description="logins and commands by HTTP, of one address")
    ] = 600


class Edges(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Further processes that serve viewers (docs/operating.md); without redis there are none."""

    redis: Annotated[
        str, msgspec.Meta(description="redis://host:port/db, carries frames; never needed here")
    ] = ""
    secret: Annotated[
        str, msgspec.Meta(description="shared by the site and its edges, 32 characters or more")
    ] = ""
    urls: Annotated[
        list[str], msgspec.Meta(description="where pages find them: ws://host:port/ws, or a path")
    ] = []
    handshakes_per_s: Annotated[
        int, msgspec.Meta(ge=1, description="of all edges together; each takes its share")
    ] = 4000
    owner: Annotated[str, msgspec.Meta(description="for an edge: the site's pages listener")] = (
        "http://127.0.0.1:8420"
    )
    host: Annotated[str, msgspec.Meta(description="for an edge: address of its listener")] = (
        "127.0.0.1"
    )
    ws_port: Annotated[Port, msgspec.Meta(description="for an edge: its listener, path /ws")] = 8431
    health_port: Annotated[
        Port, msgspec.Meta(description="for an edge: /livez /readyz /metrics")
    ] = 8432


class RoomCamera(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A room's camera. ``room`` as in ``opening:<id>``, or ``opening:*``: whichever is live."""

    room: Annotated[str, msgspec.Meta(pattern=r"^(opening|evaluation):([a-z0-9-]{1,64}|\*)$")]
    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]


class FetchedCamera(RoomCamera, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One that we fetch."""

    url: str

    def __post_init__(self) -> None:
        try:
            parse_url(self.url)
        except CameraFailed as failed:  # its text has no password in it
            raise ValueError(f"url: {failed.detail}") from None


class ComingCamera(RoomCamera, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One that comes by WHIP."""

    token: Annotated[str, msgspec.Meta(min_length=20, max_length=256)]


class Media(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Live video and its recordings, in a process of their own (docs/media.md)."""

    enabled: Annotated[bool, msgspec.Meta(description="false: no such process, no such pages")] = (
        True
    )
    host: Annotated[str, msgspec.Meta(description="address of its two ports")] = "127.0.0.1"
    port: Annotated[
        Port, msgspec.Meta(description="UDP, everybody's sound and pictures; 0: four above pages")
    ] = 0
    public_addresses: Annotated[
        list[str], msgspec.Meta(description="IP addresses that browsers are told; empty: host")
    ] = []
    http_port: Annotated[
        Port, msgspec.Meta(description="fragments, where no UDP passes; 0: three above pages")
    ] = 0
    behind_origin: Annotated[
        bool, msgspec.Meta(description="a proxy serves its /media/*/live and */hls/* as ours")
    ] = False
    quota_gib: Annotated[
        int, msgspec.Meta(ge=0, description="recordings of one room; 0: as the disk allows")
    ] = 0
    retention_days: Annotated[
        int, msgspec.Meta(ge=0, description="recordings are kept so long; 0: for ever")
    ] = 0
    turn_urls: Annotated[
        list[str], msgspec.Meta(description="relays for who has no UDP: turn:host:3478, stun:host")
    ] = []
    turn_secret: Annotated[
        str, msgspec.Meta(description="coturn's static-auth-secret, 16 characters or more")
    ] = ""
    rtsp: Annotated[
        list[FetchedCamera], msgspec.Meta(description='cameras: {"room", "name", "url": "rtsp://"}')
    ] = []
    whip: Annotated[
        list[ComingCamera], msgspec.Meta(description='encoders: {"room", "name", "token"}')
    ] = []

    def __post_init__(self) -> None:
        try:
            Relay(tuple(self.turn_urls), self.turn_secret)
        except ValueError as error:
            raise ValueError(f"{error}: see docs/operating.md") from None
        cameras = [(one.room, one.name) for one in (*self.rtsp, *self.whip)]
        if len(set(cameras)) != len(cameras):
            raise ValueError("two cameras of one name in a room")


class Journal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the journal is kept."""

    synchronous: Annotated[
        str,
        msgspec.Meta(pattern="^(FULL|OFF)$", description="OFF loses data; for measurements only"),
    ] = "FULL"


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything."""

    site: Site = Site()
    listen: Listen = Listen()
    limits: Limits = Limits()
    edges: Edges = Edges()
    media: Media = Media()
    journal: Journal = Journal()


def load(path: Path | None, environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration of ``path`` (None: defaults) with the environment over it.

    Raises msgspec.ValidationError (names the key), ValueError (no TOML, too large), OSError.
    """
    tree: dict[str, Any] = {}
    if path is not None:
        with path.open("rb") as file:
            raw = file.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            raise ValueError(f"more than {FILE_BYTES_MAX} bytes")
        tree = tomllib.loads(raw.decode("utf-8"))
    for name, text in environment.items():
        if not name.startswith(ENVIRONMENT_PREFIX) or "__" not in name:
            continue
        section, key = name.removeprefix(ENVIRONMENT_PREFIX).lower().split("__", 1)
        is_list = text.startswith("[")  # as the example prints them
        tree.setdefault(section, {})[key] = msgspec.json.decode(text) if is_list else text
    return msgspec.convert(tree, type=Config, strict=False)


def example() -> str:
    """kaibiao.example.toml: every key with its meaning and its default."""
    lines = [
        "# kaibiao: every key, with its default. Any key can be given as KAIBIAO_SECTION__KEY."
    ]
    for section in msgspec.structs.fields(Config):
        struct: Any = section.default
        lines += ["", f"# {type(struct).__doc__}", f"[{section.name}]"]
        for field in msgspec.structs.fields(struct):
            meta = msgspec.inspect.type_info(type(struct))
            described = {f.name: f for f in getattr(meta, "fields", ())}[field.name].type
            text = (getattr(described, "extra_json_schema", None) or {}).get("description", "")
            value = getattr(struct, field.name)
            shown = msgspec.json.encode(value).decode()
            lines.append(f"{field.name} = {shown}  # {text}")
    return "\n".join(lines) + "\n"
