"""Acts that need two officers (host and supervisor): their signatures over the entry (formats.md §5)."""

from crypto.entries import act_signature_ok
from crypto.manifest import Manifest
from server.domain.events import Event
from server.domain.log_entries import act_members
from server.domain.refusals import Refused

REQUIRED = frozenset({"host", "supervisor"})


def require_host_and_supervisor(rules: Manifest, event: Event, code: str) -> None:
    """Every listed key is an officer's of the manifest, every signature holds, host and supervisor are among them."""
    pks: list[bytes] = getattr(event, "pks")  # noqa: B009 - the events of two officers share the two lists
    sigs: list[bytes] = getattr(event, "sigs")  # noqa: B009
    if len(pks) != len(sigs) or len(set(pks)) != len(pks):
        raise Refused(code)
    roles = {officer.pk: officer.role for officer in rules.officers}
    for type_, members in act_members(event):
        for pk, sig in zip(pks, sigs, strict=True):
            if pk not in roles or not act_signature_ok(pk, type_, rules.tender_id, members, sig):
                raise Refused(code)
    if not {roles[pk] for pk in pks} >= REQUIRED:
        raise Refused(code)
