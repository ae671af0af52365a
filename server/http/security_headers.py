"""What every answer tells the browser not to do (安全响应头).

Invariant: no answer leaves without these; an answer that says nothing else about caching is not
stored. The content security policy is one line for the whole site: nothing inline, nothing from
elsewhere.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from server.http.settings import HttpSettings
from server.http.tus import TUS_VERSION

PERMISSIONS: Final = ", ".join(
    (
        "camera=(self)",
        "microphone=(self)",
        "display-capture=(self)",
        "fullscreen=(self)",
        "autoplay=(self)",
        "accelerometer=()",
        "browsing-topics=()",
        "geolocation=()",
        "gyroscope=()",
        "magnetometer=()",
        "midi=()",
        "payment=()",
        "publickey-credentials-get=()",
        "serial=()",
        "usb=()",
    )
)


def content_policy(settings: HttpSettings) -> str:
    """The Content-Security-Policy of the site."""
    media = settings.media_origins
    return "; ".join(
        (
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'",
            f"connect-src 'self' {' '.join((*settings.ws_origins, *media))}",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            " ".join(("media-src 'self' blob:", *media[:1])),
            "worker-src 'self'",
            "object-src 'none'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def security_headers(settings: HttpSettings) -> dict[str, str]:
    """Header lines that every answer carries."""
    headers = {
        "Content-Security-Policy": content_policy(settings),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": PERMISSIONS,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Server": "kaibiao",  # Not the library's name and version.
    }
    if settings.is_secure:
        headers["Strict-Transport-Security"] = "max-age=31536000"
    return headers


def header_writer(
    settings: HttpSettings,
) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """The signal handler that writes them."""
    lines = security_headers(settings)

    async def write(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in lines.items():
            response.headers[name] = value
        if "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        if request.path.startswith("/uploads"):
            response.headers["Tus-Resumable"] = response.headers["Tus-Version"] = TUS_VERSION

    return write
