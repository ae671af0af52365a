"""GET anything else: the pages and their files (网页).

Files come from a table made when the site starts, so no path from outside ever meets the disk.
"""

from aiohttp import web

from server.domain.model import Actor
from server.domain.refusals import Refused
from server.http.front import Front


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """A file by its path, or the one page that shows itself by its address."""
    page = front.pages.find(request.path)
    if page is None:
        raise Refused("route.unknown")
    headers = {
        "ETag": page.etag,
        "Cache-Control": page.caching,
        "Content-Type": page.content_type,
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("If-None-Match") == page.etag:
        return web.Response(status=304, headers=headers)
    if page.packed is not None and "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=page.packed, headers=headers)
    return web.Response(body=page.body, headers=headers)
