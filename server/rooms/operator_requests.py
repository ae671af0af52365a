"""What the operator may ask of a running hall (运行人的请求): one JSON object a line, one answer.

Invariant: nothing here reads a bid, a key or anything of a tender before its time; what is asked
for are parties, tenders to be published, meetings, and public names of the site. Whoever can open
the socket in the data directory is the operator: its owner, and nobody else.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import msgspec

from server.domain.evaluation_room_commands import HoldMeeting

SOCKET = "operator.sock"  # below site.data
# Manifest and signatures in base64, with room for the rest.
REQUEST_BYTES_MAX = 1 << 19
ANSWER_BYTES_MAX = 1 << 24

Short = Annotated[str, msgspec.Meta(max_length=200)]


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    """Typed, not yet judged."""


class AddPerson(Asked, frozen=True, kw_only=True, tag="person_add"):
    """``login_pk`` in hex; ``person`` empty: the next free number of the role."""

    role: Short
    org: Short
    org_name: Short
    name: Short
    login_pk: Short
    person: Short = ""


class ListPeople(Asked, frozen=True, kw_only=True, tag="person_list"):
    """Everybody who can log in."""


class PublishManifest(Asked, frozen=True, kw_only=True, tag="tender_publish"):
    """The two files as they are; ``room`` empty: from the tender's number."""

    manifest: bytes
    signatures: bytes
    room: Short = ""


class OpenMeeting(Asked, frozen=True, kw_only=True, tag="meeting_open"):
    """A meeting of evaluation as it is to be held; ``room`` empty: the next free number."""

    meeting: HoldMeeting
    room: Short = ""


class ShowSite(Asked, frozen=True, kw_only=True, tag="site"):
    """What a manifest has to say of the site: its log and its receipt key."""


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The answer: a result, or the code of a refusal and what was wrong."""

    result: dict[str, Any] = {}
    code: str = ""
    detail: str = ""


REQUEST = msgspec.json.Decoder(AddPerson | ListPeople | PublishManifest | OpenMeeting | ShowSite)


def socket_path(data: Path) -> Path:
    return data / SOCKET


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A socket's path has some hundred bytes at most; by its folder's handle any path has fewer."""
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        by_handle = Path(f"/proc/self/fd/{handle}")
        yield str(by_handle / path.name if by_handle.exists() else path)
    finally:
        os.close(handle)
