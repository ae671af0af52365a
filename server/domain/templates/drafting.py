"""A manifest from a template (起草招标清单): what it says, what the settings say, whose keys.

Pure. Invariant: what comes out is only a proposal of members; `crypto.manifest.encode_manifest`
judges it, and nothing is in force before two officers signed it.
"""

from collections.abc import Mapping, Sequence
from typing import cast

from crypto.canonical import Json
from server.domain.refusals import Refused
from server.domain.templates import TEMPLATES

Members = dict[str, Json]
QUORUM = 0  # no witnesses yet; formats.md §2 then wants `demo`, and says so in the record


def template_of(name: str) -> Members:
    """Raises Refused template.unknown."""
    if name not in TEMPLATES:
        raise Refused("template.unknown", template=name[:64])
    return TEMPLATES[name]


def envelopes_of(template: Members, numbers: Sequence[int], t: int, trustees: int) -> list[Members]:
    """The template's envelopes of these numbers, each served by all trustees."""
    served: Members = {"t": t, "trustees": list(range(1, trustees + 1))}
    found = cast("list[Members]", template["envelopes"])
    return [{**one, **served} for one in found if one["envelope"] in numbers]


def draft(
    name: str, settings: Mapping[str, Json], trustees: Sequence[Json], site: Mapping[str, Json]
) -> Members:
    """The members of a manifest.

    ``settings``: number, title, purchaser, agency, officers, deadline_ms, and any of the template's
    defaults; ``trustees``: as manifests have them; ``site``: its log and host_receipt_pk. Raises
    Refused template.unknown, template.settings (a member is missing, or unknown).
    """
    template = template_of(name)
    defaults = cast("Members", template["defaults"])
    needed = {"number", "title", "purchaser", "agency", "officers", "deadline_ms"}
    if missing := sorted(needed - settings.keys()):
        raise Refused("template.settings", missing=missing)
    if unknown := sorted(settings.keys() - needed - defaults.keys()):
        raise Refused("template.settings", unknown=[each[:64] for each in unknown])
    chosen = {**defaults, **settings}
    numbers = [cast("int", one["envelope"]) for one in cast("list[Members]", template["envelopes"])]
    session: Members = {
        **cast("Members", template["session"]),
        "envelopes": list(numbers),
        "window_ms": chosen["window_ms"],
        "reply_ms": chosen["reply_ms"],
        "outage_ms_max": chosen["window_ms"],
    }
    envelopes = envelopes_of(template, numbers, cast("int", chosen["t"]), len(trustees))
    taken = ("min_bidders", "submissions_max", "lots", *sorted(needed))
    return {
        "format": 1,
        "suite": 1,
        "demo": QUORUM == 0,
        "parent": None,
        "template": name,
        "uncertified_allowed": True,
        "traces": False,
        "names_masked": False,
        "envelopes": list(envelopes),
        "sessions": [session],
        "trustees": list(trustees),
        "witnesses": [],
        "quorum": QUORUM,
        "closing_bound_ms": 60_000,
        "programs": [],
        "draws": [],
        **{member: chosen[member] for member in taken},
        **site,
    }
