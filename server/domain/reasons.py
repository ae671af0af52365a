"""Reasons (理由): what somebody writes beside an act that needs one.

A reason is shown to everybody and stands in the site log, so it is a text by the rules of all texts
(sealing.md C18) before it may become part of an event.
"""

from crypto.text import check_text
from server.domain.refusals import Refused

REASON_MAX = 500  # code points (formats.md §5)


def written_reason(text: str) -> str:
    """What was written, on one line. Raises Refused reason.missing, Rejected text.*."""
    return signed_reason(" ".join(text.split()))


def signed_reason(text: str) -> str:
    """``text`` itself: officers signed these very characters. Raises as ``written_reason``."""
    if not text.strip():
        raise Refused("reason.missing")
    return check_text(text, 1, REASON_MAX)
