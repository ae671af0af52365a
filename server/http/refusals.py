"""How a refusal is answered over HTTP (拒绝): codes of this layer, and one shape for all of them.

Invariant: every answer that is not a success has the body ``{code, retryable, detail}`` with a
stable code, and never a stack trace. Codes of ``crypto.errors.Rejected`` travel with status 422.
"""

from collections.abc import Mapping
from typing import Any, Final

from server.domain.refusals import REFUSALS, Refusal

HTTP_REFUSALS: Final[dict[str, Refusal]] = {
    # the request itself
    "route.unknown": Refusal(404),
    "route.method": Refusal(405),
    "host.unknown": Refusal(421),
    "origin.foreign": Refusal(403),
    "origin.missing": Refusal(403),
    "body.too_large": Refusal(413),
    "body.too_deep": Refusal(400),
    "body.malformed": Refusal(400),
    "body.media_type": Refusal(415),
    "body.encoding": Refusal(415),
    "body.slow": Refusal(408, retryable=True),
    "body.cut": Refusal(400, retryable=True),
    "request.too_many": Refusal(429, retryable=True),
    # sessions
    "auth.too_many": Refusal(429, retryable=True),
    "auth.busy": Refusal(503, retryable=True),
    # live video; those of `media.errors` among them
    "media.absent": Refusal(404),
    "media.away": Refusal(503, retryable=True),
    "media.not_allowed": Refusal(403),
    "media.not_here": Refusal(409, retryable=True),
    "media.replaced": Refusal(409),
    "media.over": Refusal(409),
    "media.full": Refusal(503, retryable=True),
    "media.too_often": Refusal(429, retryable=True),
    "media.unknown": Refusal(404),
    "media.state": Refusal(409, retryable=True),
    "media.sdp": Refusal(422),
    "media.sdp_size": Refusal(413),
    "media.no_codec": Refusal(422),
    # encoders that publish by themselves
    "whip.token": Refusal(401),
    "whip.unknown": Refusal(404),
    "whip.fragment": Refusal(422),
    "whip.precondition": Refusal(428),
    "whip.stale": Refusal(412),
    # tus
    "tus.version": Refusal(412),
    "upload.length_missing": Refusal(400),
    "upload.deferred_length": Refusal(400),
    "upload.metadata": Refusal(400),
    "upload.offset_missing": Refusal(400),
    "upload.checksum_form": Refusal(400),
    "upload.checksum": Refusal(460, retryable=True),
    "upload.checked_too_large": Refusal(413),
    "upload.incomplete": Refusal(409, retryable=True),
    "upload.header": Refusal(422),
    "upload.taken_over": Refusal(409, retryable=True),
    # recordings
    "recording.make": Refusal(422),
    "recording.nothing": Refusal(404),
    "recording.file": Refusal(404),
}

CODE_HEADER: Final = "X-Refusal"
RETRY_AFTER_S: Final = {423: "1", 429: "2", 503: "1"}
REJECTED: Final = Refusal(422)


def refusal_of(code: str) -> Refusal:
    """Status and retryability of a code; a code nobody listed came from ``crypto`` (422)."""
    return HTTP_REFUSALS.get(code) or REFUSALS.get(code) or REJECTED


def refusal_body(code: str, detail: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What is written down."""
    return {"code": code, "retryable": refusal_of(code).retryable, "detail": dict(detail or {})}
