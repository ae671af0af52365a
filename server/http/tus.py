"""The header lines of tus 1.0.0 (断点续传协议): parsing what clients send, with limits.

Extensions: creation, creation-with-upload, termination, checksum (sha256), expiration. Invariant: a
line is either what the protocol says, whole, or refused; nothing here touches an upload.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Final

from server.domain.refusals import Refused

TUS_VERSION: Final = "1.0.0"
EXTENSIONS: Final = "creation,creation-with-upload,termination,checksum,expiration"
PATCH_TYPE: Final = "application/offset+octet-stream"
SIZE_FORM: Final = re.compile(r"0|[1-9][0-9]{0,15}")
METADATA_KEYS_MAX: Final = 16


def require_version(headers: Mapping[str, str]) -> None:
    """Every request but OPTIONS names the version it speaks."""
    if headers.get("Tus-Resumable") != TUS_VERSION:
        raise Refused("tus.version", version=TUS_VERSION)


def parse_size(text: str | None, missing: str) -> int:
    """A decimal number of bytes; raises ``missing`` where it is absent or is none."""
    if text is None or not SIZE_FORM.fullmatch(text):
        raise Refused(missing)
    return int(text)


def parse_length(headers: Mapping[str, str]) -> int:
    """Upload-Length. A length told later would be a length not checked now."""
    if "Upload-Defer-Length" in headers:
        raise Refused("upload.deferred_length")
    return parse_size(headers.get("Upload-Length"), "upload.length_missing")


def parse_metadata(text: str, size_max: int) -> dict[str, bytes]:
    """Upload-Metadata: ``key base64`` separated by commas; a key stands once."""
    if len(text) > size_max:
        raise Refused("upload.metadata", why="too long")
    members: dict[str, bytes] = {}
    for pair in text.split(",") if text else ():
        key, _, encoded = pair.strip(" ").partition(" ")
        if not key or not key.isascii() or key in members or len(members) >= METADATA_KEYS_MAX:
            raise Refused("upload.metadata", why="keys")
        members[key] = _strict_base64(encoded, "upload.metadata")
    return members


def format_metadata(members: Mapping[str, bytes]) -> str:
    """The line again."""
    return ",".join(f"{key} {b64encode(value).decode()}" for key, value in members.items())


def parse_checksum(text: str) -> bytes:
    """Upload-Checksum: SHA-256 alone."""
    algorithm, _, encoded = text.partition(" ")
    digest = _strict_base64(encoded, "upload.checksum_form")
    if algorithm != "sha256" or len(digest) != 32:
        raise Refused("upload.checksum_form")
    return digest


def expires(at_ms: int) -> str:
    """Upload-Expires, an RFC 9110 date."""
    return format_datetime(datetime.fromtimestamp(at_ms // 1000, UTC), usegmt=True)


def _strict_base64(text: str, code: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(code, why="base64") from None
