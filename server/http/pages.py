"""The built web client in memory (静态页面): every file of ``dist`` by its path, read once.

Invariant: only what was in the folder when the site started is served; an address is looked up in a
table, never joined to a path. Files with a content hash in their name may be kept for ever, the
pages themselves are asked for each time.
"""

import gzip
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from crypto.hashes import sha256

FILES_MAX: Final = 2000
SIZE_MAX: Final = 64 << 20
PACK_SIZE_MIN: Final = 1024
FOREVER: Final = "public, max-age=31536000, immutable"
ASK_AGAIN: Final = "no-cache"
HASHED: Final = re.compile(r"/assets/.+-[A-Za-z0-9_-]{8}\.[a-z0-9.]+")
# The addresses of the one page: what stands there is decided by the page itself.
PAGE_PATHS: Final = re.compile(
    r"/|/(?:login|demo)"
    r"|/(?:hall|bid|unlock|host|trustee|playback|evaluation|venues|wall)/[a-z0-9-]{1,64}"
)
PACKED_TYPES: Final = re.compile(r"text/.*|application/(?:json|wasm|manifest\+json)|image/svg\+xml")
CONTENT_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}


@dataclass(frozen=True, slots=True)
class Page:
    """One file, ready to be sent; ``packed`` is it in gzip, where that is worth it."""

    body: bytes
    packed: bytes | None
    content_type: str
    etag: str
    caching: str


class Pages:
    """The files by their path, which begins with a slash."""

    def __init__(self, files: Mapping[str, Page]) -> None:
        self._files = files

    def find(self, path: str) -> Page | None:
        """The file of this path, or the page that belongs to this address."""
        if PAGE_PATHS.fullmatch(path):
            return self._files.get("/index.html")
        return self._files.get(path)


def read_pages(directory: Path | None) -> Pages:
    """Reads the built client; an empty table where there is none."""
    if directory is None or not directory.is_dir():
        return Pages({})
    files: dict[str, Page] = {}
    size = 0
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory)
        if not path.is_file() or any(part.startswith(".") for part in name.parts):
            continue
        # A link may not lead out of the folder.
        if not path.resolve().is_relative_to(directory.resolve()):
            continue
        address = f"/{name.as_posix()}"
        page = _read(path, address)
        size += len(page.body)
        assert len(files) < FILES_MAX, "the built client has too many files"
        assert size <= SIZE_MAX, "the built client is too large"
        files[address] = page
    return Pages(files)


def _read(path: Path, address: str) -> Page:
    body = path.read_bytes()
    guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    content_type = CONTENT_TYPES.get(path.suffix, guessed)
    is_packed = len(body) >= PACK_SIZE_MIN and PACKED_TYPES.fullmatch(content_type.split(";")[0])
    return Page(
        body=body,
        packed=gzip.compress(body, 9, mtime=0) if is_packed else None,
        content_type=content_type,
        etag=f'W/"{sha256(body)[:16].hex()}"',
        caching=FOREVER if HASHED.fullmatch(address) else ASK_AGAIN,
    )
