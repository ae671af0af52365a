"""GET /openings/{id}/opening.zip: the whole opening, to be checked offline (开标存证包)."""

from aiohttp import web

from server.domain.model import Actor
from server.http.front import Front


async def handle(request: web.Request, front: Front, _actor: Actor) -> web.StreamResponse:
    """``bundle.not_ready`` until the prices are read out; ranges are served, for bad lines."""
    opening = request.match_info["id"]
    path = await front.hall.bundle_path(opening)
    return web.FileResponse(
        path,
        headers={
            "Content-Type": "application/zip",
            "Content-Disposition": f'attachment; filename="opening-{opening}.zip"',
        },
    )
