"""Where a camera is and how one logs in there (登录): its URL, Basic and Digest (RFC 7616, 2617).

Invariant: pure. User and password are in no text but the header that carries them, and never
printed. Of several challenges the strongest that we know is answered.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

from media.errors import CameraFailed
from media.rtsp_messages import is_safe

URL_CHARS_MAX: Final = 1024
PORT: Final = 554
_PAIR: Final = re.compile(
    r'([A-Za-z][A-Za-z0-9_-]{0,31})\s*=\s*(?:"([^"\\]{0,512})"|([^\s,"]{1,512}))'
)
_HASHES: Final = {"SHA-256": "sha256", "MD5": "md5"}  # the stronger first


@dataclass(frozen=True, slots=True)
class CameraUrl:
    """``url`` is without user and password: what stands in requests."""

    host: str
    port: int
    url: str
    user: str = field(repr=False)
    password: str = field(repr=False)


def parse_url(text: str) -> CameraUrl:
    """``rtsp://[user:password@]host[:port]/path``. CameraFailed camera.url."""
    if len(text) > URL_CHARS_MAX or not is_safe(text) or " " in text:
        raise CameraFailed("camera.url", "characters")
    try:
        parts = urlsplit(text)
        port = parts.port or PORT
    except ValueError:
        raise CameraFailed("camera.url", "form") from None
    if parts.scheme != "rtsp" or not parts.hostname:
        raise CameraFailed("camera.url", "scheme or host")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not is_safe(user) or not is_safe(password) or '"' in user or ":" in user:
        raise CameraFailed("camera.url", "user")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    query = f"?{parts.query}" if parts.query else ""
    url = f"rtsp://{host}:{port}{parts.path or '/'}{query}"
    return CameraUrl(parts.hostname, port, url, user, password)


@dataclass(slots=True)
class Login:
    """Of one connection. ``challenged`` with each 401, then `header` for every request."""

    user: str = field(repr=False)
    password: str = field(repr=False)
    _digest: dict[str, str] = field(default_factory=dict[str, str])
    _basic: bool = False
    _count: int = 0

    def challenged(self, challenges: tuple[str, ...]) -> bool:
        """Whether it is worth asking again: there is a user, and this challenge is a new one."""
        if not self.user:
            return False
        digests = [_parameters(text) for text in challenges if _scheme(text) == "digest"]
        for name in _HASHES:
            for found in digests:
                if found.get("algorithm", "MD5").upper() == name and "nonce" in found:
                    is_new = found["nonce"] != self._digest.get("nonce")
                    self._digest, self._count = found, 0
                    return is_new
        if digests or self._basic:
            return False
        self._basic = any(_scheme(text) == "basic" for text in challenges)
        return self._basic

    def header(self, method: str, url: str, cnonce: str) -> str:
        """The value of Authorization; empty where nothing has been asked for yet."""
        if self._digest:
            return self._answer(method, url, cnonce)
        if self._basic:
            pair = f"{self.user}:{self.password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        return ""

    def _answer(self, method: str, url: str, cnonce: str) -> str:
        told = self._digest
        algorithm = told.get("algorithm", "MD5").upper()
        realm, nonce = told.get("realm", ""), told["nonce"]

        def digest(*parts: str) -> str:
            made = hashlib.new(_HASHES[algorithm], usedforsecurity=False)
            made.update(":".join(parts).encode())
            return made.hexdigest()

        who, what = digest(self.user, realm, self.password), digest(method, url)
        fields = {"username": self.user, "realm": realm, "nonce": nonce, "uri": url}
        plain = ""
        if "auth" in [one.strip() for one in told.get("qop", "").split(",")]:
            self._count += 1
            number = f"{self._count:08x}"
            fields["response"] = digest(who, nonce, number, cnonce, "auth", what)
            fields["cnonce"] = cnonce
            plain = f", qop=auth, nc={number}"
        else:
            fields["response"] = digest(who, nonce, what)
        if "opaque" in told:
            fields["opaque"] = told["opaque"]
        if "algorithm" in told:
            plain += f", algorithm={algorithm}"
        return "Digest " + ", ".join(f'{name}="{text}"' for name, text in fields.items()) + plain


def _scheme(challenge: str) -> str:
    return challenge.split(" ", 1)[0].lower()


def _parameters(challenge: str) -> dict[str, str]:
    """Of one challenge; those that could not stand in a line of ours are left out."""
    found: dict[str, str] = {}
    for name, quoted, bare in _PAIR.findall(challenge[:4096]):
        if is_safe(quoted or bare):
            found.setdefault(name.lower(), quoted or bare)
    return found
