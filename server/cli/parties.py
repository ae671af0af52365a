"""`kaibiao person`, `kaibiao tender`, `kaibiao meeting`: who may log in, what is on the board, who
evaluates together (主体、项目、评标会).

Invariant: nothing is written to the journal from here. What changes the hall is asked of the one
that runs, through the socket that only the owner of its data directory can open.
"""

import json as jsonlib
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import cyclopts

from crypto.errors import Rejected

if TYPE_CHECKING:
    from server.rooms.operator_requests import Asked

PATIENCE_S = 30.0
READ_BYTES = 1 << 16
MEETING_BYTES_MAX = 1 << 17

person_app = cyclopts.App(name="person", help="Who may log in (主体): add, list, make keys.")
tender_app = cyclopts.App(name="tender", help="Tenders (项目): draft, sign, publish.")
meeting_app = cyclopts.App(name="meeting", help="Meetings of evaluation (评标会): open.")
ConfigPath = Annotated[Path | None, cyclopts.Parameter(name="--config", help="kaibiao.toml")]


@person_app.command
def keygen(*, out: Path, office: bool = False) -> None:
    """Make a login key file, as the login page takes it; prints the public key to register.

    Parameters
    ----------
    out: the key file to be made; never one that exists.
    office: an officer's key instead, for manifests and acts; its public key stands in manifests.
    """
    from crypto.keys import SigningKey
    from server.cli.files import new_files

    key = SigningKey.generate()
    with new_files(out) as (file,):
        name = "officer_seed" if office else "seed"
        file.write(jsonlib.dumps({name: key.seed.hex()}).encode() + b"\n")
    print(f"{'pk' if office else 'login_pk'} {key.public.hex()}")


@person_app.command
def add(
    *,
    role: str,
    org: str,
    org_name: str,
    name: str,
    login_pk: str,
    person: str = "",
    config: ConfigPath = None,
) -> None:
    """Register a person with the running hall. You vouch for whose key it is: uncertified.

    Parameters
    ----------
    role: host, supervisor, purchaser, trustee, witness, bidder or expert.
    org: the organisation's unified social credit code.
    org_name: the organisation's name.
    name: the person's name.
    login_pk: the public login key, in hexadecimal, as `kaibiao person keygen` prints it.
    person: an id; else the role with the next free number.
    """
    from server.rooms.operator_requests import AddPerson

    asked = AddPerson(
        role=role, org=org, org_name=org_name, name=name, login_pk=login_pk, person=person
    )
    print(f"person {ask(asked, config)['person']} (uncertified)")


@person_app.command(name="list")
def list_people(*, json: bool = False, config: ConfigPath = None) -> None:
    """Everybody who can log in: id, role, organisation, name, login key."""
    from server.rooms.operator_requests import ListPeople

    people: list[dict[str, str]] = ask(ListPeople(), config)["people"]
    if json:
        print(jsonlib.dumps(people, ensure_ascii=False))
        return
    for each in people:
        print("\t".join(each.values()))


@tender_app.command
def trustee(
    *,
    role: str,
    org: str,
    org_name: str,
    name: str,
    expiry: str,
    out: Path,
    template: str = "building",
) -> None:
    """Make a trustee's key file OUT, and OUT.public.json for whoever drafts the manifest.

    Parameters
    ----------
    role: agency, purchaser, supervisor, notary or witness.
    org: the organisation's unified social credit code.
    org_name: the organisation's name.
    name: the trustee's name.
    expiry: after the deadline, such as 2027-12-01T00:00:00+08:00.
    out: the key file to be made; never one that exists.
    template: of the tender.
    """
    from server.cli.drafting import Trustee, make_trustee

    one = Trustee(
        role=role, code=org, organisation=org_name, name=name, expiry=expiry, template=template
    )
    make_trustee(one, out)


@tender_app.command
def draft(
    *,
    settings: Path,
    trustee: list[Path],
    out: Path,
    template: str = "building",
    config: ConfigPath = None,
) -> None:
    """Draft a manifest for the running hall, whose log and receipt key it names.

    Parameters
    ----------
    settings: a JSON file: number, title, purchaser and agency {code, name}, deadline, officers
        [{role, code, name, pk}], and what differs from the template's defaults.
    trustee: public files of the trustees, in their order.
    out: manifest.json; never a file that exists.
    template: what kind of tender.
    """
    from server.cli.drafting import draft as run
    from server.rooms.operator_requests import ShowSite

    run(template, settings, trustee, ask(ShowSite(), config), out)


@tender_app.command
def sign(manifest: Path, *, key: Path, signatures: Path) -> None:
    """Sign a manifest by an office: agency (or purchaser) first, then the supervisor.

    Parameters
    ----------
    manifest: manifest.json.
    key: the officer's key file.
    signatures: manifest.sig.json, made by the first officer, extended by the next.
    """
    from server.cli.drafting import sign as run

    run(manifest, key, signatures)


@tender_app.command
def publish(manifest: Path, signatures: Path, *, id: str = "", config: ConfigPath = None) -> None:
    """Publish a signed manifest on the running hall, and schedule its opening.

    Parameters
    ----------
    manifest: manifest.json.
    signatures: manifest.sig.json, by agency or purchaser and by the supervisor.
    id: of the tender in addresses; else its number in small letters.
    """
    from crypto.objects.common import MANIFEST_SIZE_MAX
    from server.cli.files import read_within
    from server.rooms.operator_requests import PublishManifest

    asked = PublishManifest(
        manifest=read_within(manifest, MANIFEST_SIZE_MAX, "json.size"),
        signatures=read_within(signatures, 16_384, "json.size"),
        room=id,
    )
    done = ask(asked, config)
    print(f"tender    {done['id']}\ntender_id {done['tender_id']}")


@meeting_app.command(name="open")
def open_meeting(meeting: Path, *, id: str = "", config: ConfigPath = None) -> None:
    """Open a meeting of several venues on the running hall; its people must be registered.

    Parameters
    ----------
    meeting: a JSON file: title, venues [{venue, name, is_main, cameras [name], seats [{seat,
        person}]}], moderator, supervisors [person].
    id: of the meeting in addresses; else the next free number.
    """
    import msgspec

    from server.cli.files import read_within
    from server.domain.evaluation_room_commands import HoldMeeting
    from server.rooms.operator_requests import OpenMeeting

    raw = read_within(meeting, MEETING_BYTES_MAX, "json.size")
    try:
        value = msgspec.json.decode(raw, type=HoldMeeting)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected("meeting.file", str(error)[:200]) from None
    done = ask(OpenMeeting(meeting=value, room=id), config)
    print(f"meeting {done['id']}\npage    /evaluation/{done['id']}")


def ask(asked: "Asked", config: Path | None) -> dict[str, Any]:
    """What the running hall answers. Raises Rejected operator.away, operator.not_you, and with the
    code of whatever it refuses.
    """
    import msgspec

    from server.cli.serving import configured
    from server.rooms.operator_requests import ANSWER_BYTES_MAX, Told, short_path, socket_path

    path = socket_path(Path(configured(config).site.data))
    raw = bytearray()
    try:
        with socket.socket(socket.AF_UNIX) as door, short_path(path) as short:
            door.settimeout(PATIENCE_S)
            door.connect(short)
            door.sendall(msgspec.json.encode(asked) + b"\n")
            while not raw.endswith(b"\n") and len(raw) < ANSWER_BYTES_MAX:
                piece = door.recv(READ_BYTES)
                if not piece:
                    break
                raw += piece
        told = msgspec.json.decode(raw, type=Told)
    except PermissionError as error:
        raise Rejected("operator.not_you", str(path)) from error
    except (FileNotFoundError, ConnectionError) as error:
        raise Rejected("operator.away", str(path)) from error
    except (TimeoutError, msgspec.DecodeError) as error:
        raise Rejected("operator.failed", "no answer") from error
    if told.code:
        raise Rejected(told.code, told.detail)
    return told.result
