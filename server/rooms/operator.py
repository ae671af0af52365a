"""What the operator's requests do (运行人的操作): people into the registry, tenders onto the board,
meetings of evaluation.

Invariant: a person, a tender or a meeting that the rules would stumble over later is refused here,
by a code, before a row is written or a room begun. Nobody is certified by it: the operator vouches
for whose key a key is, which is why parties and tenders show as by invitation (C17).
"""

import asyncio
import itertools
import re
from dataclasses import dataclass
from typing import Any

from crypto.errors import Rejected
from crypto.keys import is_valid_public
from crypto.manifest import parse_manifest, parse_manifest_signatures
from crypto.text import check_text
from server.domain import commands as cmd
from server.domain.evaluation_room import Evaluation
from server.domain.evaluation_room_rules import hold_meeting
from server.domain.model import SYSTEM, Context, Role
from server.domain.refusals import Refused
from server.domain.templates import TEMPLATES
from server.rooms.hall import Hall
from server.rooms.operator_requests import (
    AddPerson,
    Asked,
    ListPeople,
    OpenMeeting,
    PublishManifest,
    ShowSite,
)

ID = re.compile(r"[a-z0-9-]{1,64}")
ORG = re.compile(r"[0-9A-Z]{18}")  # 统一社会信用代码
KEY_HEX = re.compile(r"[0-9a-f]{64}")
NAME_MAX = 200
ROLES = {str(role): role for role in Role if role not in (Role.VIEWER, Role.SYSTEM)}


@dataclass(frozen=True, slots=True)
class SiteNames:
    """By what a tender's manifest knows this site."""

    log_origin: str
    log_pk: bytes
    receipt_pk: bytes


class Operator:
    """One request after the other, so that two of them never take the same name."""

    def __init__(self, hall: Hall, site: SiteNames, *, allow_test: bool = False) -> None:
        self._hall = hall
        self._site = site
        self._allow_test = allow_test
        self._turn = asyncio.Lock()

    async def answer(self, asked: Asked) -> dict[str, Any]:
        """The result. Raises Refused and Rejected."""
        async with self._turn:
            match asked:
                case AddPerson():
                    return await self._add_person(asked)
                case ListPeople():
                    return {"people": self._people()}
                case PublishManifest():
                    return await self._publish(asked)
                case OpenMeeting():
                    return await self._open_meeting(asked)
                case _:
                    assert isinstance(asked, ShowSite)
                    site = self._site
                    log = {"origin": site.log_origin, "pk": site.log_pk.hex()}
                    return {"log": log, "host_receipt_pk": site.receipt_pk.hex()}

    # ---- people

    def _people(self) -> list[dict[str, str]]:
        found = self._hall.rooms("registry")[0].state.people.values()
        return [
            {
                "person": each.actor.person,
                "role": str(each.actor.role),
                "org": each.actor.org,
                "org_name": each.org_name,
                "name": each.actor.name,
                "login_pk": each.login_pk.hex(),
            }
            for each in sorted(found, key=lambda each: each.actor.person)
        ]

    async def _add_person(self, asked: AddPerson) -> dict[str, Any]:
        """The same person with the same key again is the same registration."""
        role = ROLES.get(asked.role)
        if role is None:
            raise Refused("person.role", one_of=sorted(ROLES))
        if not ORG.fullmatch(asked.org):
            raise Refused("person.org", org=asked.org)
        for text in (asked.org_name, asked.name):
            _check_name(text)
        login_pk = _login_key(asked.login_pk)
        known = self._hall.person_by_key(login_pk)
        if known is not None:
            given = (role, asked.org, asked.org_name)
            same = given == (known.actor.role, known.actor.org, known.org_name)
            if not same or asked.person not in ("", known.actor.person):
                raise Refused("person.key_taken", person=known.actor.person)
            return {"person": known.actor.person}
        person = self._person_id(asked.person, role)
        answer = await self._hall.register_person(
            cmd.RegisterPerson(
                person=person,
                org=asked.org,
                org_name=asked.org_name,
                role=role,
                name=asked.name,
                login_pk=login_pk,
            )
        )
        if not answer.ok:
            raise Refused(answer.code, **answer.detail)
        return {"person": person}

    def _person_id(self, wanted: str, role: Role) -> str:
        taken = {line["person"] for line in self._people()}
        if not wanted:
            return next(
                f"{role}-{n}" for n in range(1, len(taken) + 2) if f"{role}-{n}" not in taken
            )
        if not ID.fullmatch(wanted):
            raise Refused("person.id", person=wanted)
        if wanted in taken:
            raise Refused("person.exists", person=wanted)
        return wanted

    # ---- tenders

    async def _publish(self, asked: PublishManifest) -> dict[str, Any]:
        """Everything is looked at before a room is begun."""
        rules = parse_manifest(asked.manifest, allow_test=self._allow_test)
        parse_manifest_signatures(asked.signatures, rules)
        if rules.template not in TEMPLATES:
            raise Refused("template.unknown", template=rules.template)
        site = SiteNames(rules.log.origin, rules.log.pk, rules.host_receipt_pk)
        if site != self._site:
            raise Refused("tender.other_site", log=rules.log.origin)
        if rules.deadline_ms <= self._hall.now_ms():
            raise Refused("tender.deadline_past")
        published = [r.state.manifest for r in self._hall.rooms("tender") if r.state.manifest]
        if rules.tender_id in {each.tender_id for each in published}:
            raise Refused("tender.exists")
        room = asked.room or rules.number.lower()
        if not ID.fullmatch(room):
            raise Refused("tender.id", id=room)
        await self._hall.open_tender(room, asked.manifest, asked.signatures)
        return {"id": room, "tender_id": rules.tender_id.hex()}

    # ---- meetings of evaluation

    async def _open_meeting(self, asked: OpenMeeting) -> dict[str, Any]:
        """Judged by the rules of the room before there is one."""
        room = asked.room or next(
            f"meeting-{n}" for n in itertools.count(1) if self._meeting(f"meeting-{n}") is None
        )
        if not ID.fullmatch(room):
            raise Refused("meeting.id", id=room)
        known = self._meeting(room)
        now_ms = self._hall.now_ms()
        found = {person: self._hall.find_person(person) for person in asked.meeting.people()}
        people = {person: actor for person, actor in found.items() if actor is not None}
        ctx = Context(SYSTEM, now_ms, now_ms, people=people)
        hold_meeting(known or Evaluation(), asked.meeting, ctx)
        await self._hall.open_meeting(room, asked.meeting)
        return {"id": room}

    def _meeting(self, room: str) -> Evaluation | None:
        found = self._hall.find_room(f"evaluation:{room}")
        return found.state if found is not None else None


def _check_name(text: str) -> None:
    try:
        check_text(text, 1, NAME_MAX)
    except Rejected as rejected:
        raise Refused("person.name", why=rejected.code) from None


def _login_key(text: str) -> bytes:
    if not KEY_HEX.fullmatch(text) or not is_valid_public(bytes.fromhex(text)):
        raise Refused("person.login_pk")
    return bytes.fromhex(text)
