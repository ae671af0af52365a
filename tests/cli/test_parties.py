"""From an empty data directory to a tender that a bidder sees, by the operator's hand."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from crypto.keys import BoxKey, SigningKey
from crypto.manifest import parse_manifest
from server.demo.world import TenderPlan, World, build_manifest
from server.http.client import HallHttp, HallRefused
from server.rooms.clock import Clock
from server.site_keys import load_site_keys
from tests.cli.program import Nursery, Ran
from tests.cli.test_serve import served, settings

pytestmark = pytest.mark.slow
TRUSTEES = ("agency", "purchaser", "supervisor")
BIDDER = {
    "role": "bidder",
    "org": "91360800MB00000001",
    "org-name": "澄江路桥建设（江州）有限公司",
    "name": "何川",
}


@dataclass(frozen=True, slots=True)
class Site:
    """A hall that runs, and its operator's program."""

    data: Path
    origin: str
    config: Path
    program: Nursery

    def run(self, *words: object) -> Ran:
        return self.program.run(*words, "--config", self.config)

    def add(self, login_pk: str, **changed: str) -> Ran:
        given = {**BIDDER, "login-pk": login_pk} | changed
        return self.run("person", "add", *(w for n, v in given.items() for w in (f"--{n}", v)))

    def manifest(
        self, folder: Path, number: str, *, log_pk: bytes = b"", deadline_ms: int = 0
    ) -> tuple[Path, Path]:
        """A manifest for this site and its signatures, as files."""
        keys = load_site_keys(self.data)
        raw, signatures = build_manifest(
            World(b"parties".ljust(32, b"."), 1),
            TenderPlan(number=number, title="滨河东路", deadline_ms=deadline_ms or in_an_hour()),
            receipt_pk=keys.receipt.public,
            log_origin="localhost/kaibiao/log",
            log_pk=log_pk or keys.log.public,
        )
        files = folder / f"{number}.json", folder / f"{number}.sig.json"
        files[0].write_bytes(raw)
        files[1].write_bytes(signatures)
        return files


def in_an_hour() -> int:
    return Clock(0).now_ms() + 3_600_000


def config_file(folder: Path, env: dict[str, str]) -> Path:
    """The same settings as the hall's, as a file."""
    lines = {"site": list[str](), "listen": list[str]()}
    for name, value in env.items():
        section, key = name.removeprefix("KAIBIAO_").lower().split("__")
        lines[section].append(f"{key} = {value if value.isdigit() else json.dumps(value)}")
    path = folder / "kaibiao.toml"
    path.write_text("\n".join(f"[{s}]\n" + "\n".join(each) for s, each in lines.items()))
    return path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, program: Nursery) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("a-folder-with-a-name-longer-than-a-socket-may-have" * 3)
    env = settings(folder / "data")
    config = config_file(folder, env)
    with served(env) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("kaibiao: http")
        yield Site(folder / "data", env["KAIBIAO_SITE__ORIGIN"], config, program)


def made_key(site: Site, out: Path) -> SigningKey:
    """A login key as `kaibiao person keygen` makes it."""
    done = site.program.run("person", "keygen", "--out", out)
    key = SigningKey(bytes.fromhex(json.loads(out.read_text())["seed"]))
    assert done == Ran(0, f"login_pk {key.public.hex()}\n", "")
    assert out.stat().st_mode & 0o777 == 0o600
    return key


def office(site: Site, folder: Path, role: str) -> tuple[Path, str]:
    """An officer's key file and public key."""
    out = folder / f"{role}-office.key"
    done = site.program.run("person", "keygen", "--office", "--out", out)
    return out, done.out.removeprefix("pk ").strip()


def made_trustee(site: Site, folder: Path, role: str) -> Path:
    """The public file of a trustee; the key file lies beside."""
    names = ("--org-name", f"{role} 单位", "--name", f"{role} 保管人")
    words = (
        "--role",
        role,
        "--org",
        BIDDER["org"],
        *names,
        "--expiry",
        "2100-12-01T00:00:00+08:00",
    )
    done = site.program.run("tender", "trustee", *words, "--out", folder / f"{role}.key")
    assert done.code == 0, done
    return folder / f"{role}.key.public.json"


def settings_file(folder: Path, offices: dict[str, tuple[Path, str]]) -> Path:
    party = {"code": BIDDER["org"], "name": "江州市城市建设发展有限公司"}
    value = {
        "number": "JZ-9",
        "title": "滨河东路道路改造工程（施工）",
        "purchaser": party,
        "agency": party,
        "deadline": "2099-11-30T08:00:00+08:00",
        "window_ms": 900_000,
        "officers": [
            {"role": role, "code": BIDDER["org"], "name": role, "pk": pk}
            for role, (_, pk) in offices.items()
        ],
    }
    path = folder / "settings.json"
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


async def test_who_is_added_logs_in_and_sees_what_is_published(site: Site, tmp_path: Path) -> None:
    key = made_key(site, tmp_path / "login.json")
    async with HallHttp(site.origin) as hall:
        with pytest.raises(HallRefused, match="key_unknown"):
            await hall.login(key)
        assert site.add(key.public.hex()) == Ran(0, "person bidder-1 (uncertified)\n", "")
        me = await hall.login(key)
        assert (me["person"], me["role"], me["org"]) == ("bidder-1", "bidder", BIDDER["org"])
        assert (await hall.get("/tenders"))["tenders"] == []
        done = site.run("tender", "publish", *site.manifest(tmp_path, "JZ-2026-SG-0417"))
        assert (done.code, done.out.splitlines()[0]) == (0, "tender    jz-2026-sg-0417"), done
        (shown,) = (await hall.get("/tenders"))["tenders"]
        assert (shown["id"], shown["number"]) == ("jz-2026-sg-0417", "JZ-2026-SG-0417")
    again = site.run(
        "tender", "publish", *(tmp_path / f"JZ-2026-SG-0417{e}" for e in (".json", ".sig.json"))
    )
    assert again.refusal == "tender.exists"
    listed = site.run("person", "list").out.splitlines()
    assert listed[0].split("\t")[:3] == ["bidder-1", "bidder", BIDDER["org"]]


def test_the_door_is_for_the_owner_of_the_data_directory(site: Site) -> None:
    assert (site.data / "operator.sock").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"role": "viewer"}, "person.role"),
        ({"role": "system"}, "person.role"),
        ({"org": "short"}, "person.org"),
        ({"name": "two\nlines"}, "person.name"),
        ({"org-name": ""}, "person.name"),
        ({"org-name": "x" * 201}, "operator.request"),
        ({"login-pk": "00" * 32}, "person.login_pk"),
        ({"login-pk": "zz"}, "person.login_pk"),
        ({"person": "No Id"}, "person.id"),
    ],
)
def test_a_person_the_rules_would_stumble_over_is_refused(
    site: Site, changed: dict[str, str], code: str
) -> None:
    assert site.add(SigningKey(b"some".ljust(32, b".")).public.hex(), **changed).refusal == code


def test_a_key_and_an_id_belong_to_one_person(site: Site) -> None:
    one, other = (SigningKey(name.ljust(32, b".")).public.hex() for name in (b"one", b"other"))
    host = {"role": "host", "person": "lin"}
    assert site.add(one, **host).out == "person lin (uncertified)\n"
    assert site.add(one, **host).out == "person lin (uncertified)\n"
    assert site.add(one, **host | {"role": "supervisor"}).refusal == "person.key_taken"
    assert site.add(other, **host).refusal == "person.exists"


def test_a_tender_that_could_not_be_held_here_is_not_published(site: Site, tmp_path: Path) -> None:
    def refusal(*words: object) -> str:
        return site.run("tender", "publish", *words).refusal

    manifest, signatures = site.manifest(tmp_path, "赣建〔2026〕17号")
    assert refusal(manifest, signatures) == "tender.id"
    other, other_signatures = site.manifest(tmp_path, "JZ-1")
    assert refusal(other, signatures) == "manifest_signature.tender"
    assert refusal(*site.manifest(tmp_path, "JZ-2", deadline_ms=1)) == "tender.deadline_past"
    raw = other.read_bytes()
    other.write_bytes(raw + b"\n")
    assert refusal(other, other_signatures).startswith(("canonical.", "json."))
    other.write_bytes(b"x" * 300_000)
    assert refusal(other, other_signatures) == "json.size"


def test_a_manifest_is_drafted_signed_by_two_offices_and_published(
    site: Site, tmp_path: Path
) -> None:
    def tender(verb: str, *words: object) -> Ran:
        return site.program.run("tender", verb, *words)

    offices = {role: office(site, tmp_path, role) for role in ("agency", "supervisor", "host")}
    manifest, signatures = tmp_path / "manifest.json", tmp_path / "manifest.sig.json"
    given = settings_file(tmp_path, offices)
    trustees = [f"--trustee={made_trustee(site, tmp_path, role)}" for role in TRUSTEES]
    drafting = ("tender", "draft", "--settings", given, *trustees, "--out", manifest)
    assert site.run(*drafting, "--template", "bridge").refusal == "template.unknown"
    assert site.run(*drafting).code == 0
    rules = parse_manifest(manifest.read_bytes())
    assert [e.name for e in rules.envelopes] == ["开标一览表", "技术标"]
    assert (rules.number, rules.deadline_ms, rules.envelopes[0].t) == ("JZ-9", 4_099_680_000_000, 2)
    # The trustee's page takes the key file of whom the manifest names.
    secret = json.loads((tmp_path / "purchaser.key").read_text())
    assert BoxKey(bytes.fromhex(secret["xpk_seed"])).public == rules.trustees[1].xpk

    def sign(role: str) -> Ran:
        return tender("sign", manifest, "--key", offices[role][0], "--signatures", signatures)

    assert sign("agency").out == "signed as agency, another office is still to sign\n"
    half = site.run("tender", "publish", manifest, signatures)
    assert half.refusal == "object.length"
    done = sign("supervisor")
    assert done.out == "signed as supervisor, complete\n"
    assert rules.tender_id.hex() in done.err
    assert sign("supervisor").code == 0  # again is the same
    stranger = tmp_path / "stranger.key"
    stranger.write_text("ab" * 32)
    words = (manifest, "--key", stranger, "--signatures", signatures)
    assert tender("sign", *words).refusal == "officer.not_named"
    words_of_host = (manifest, "--key", offices["host"][0], "--signatures", signatures)
    assert tender("sign", *words_of_host).refusal == "officer.not_named"
    raw = signatures.read_bytes()
    signatures.write_bytes(raw.replace(b'"sig":"', b'"sig":"00', 1))
    assert sign("agency").refusal == "manifest_signature.invalid"
    signatures.write_bytes(raw)
    stranger.write_text("{}")
    assert tender("sign", *words).refusal == "officer.key"
    assert site.run("tender", "publish", manifest, signatures).out.startswith("tender    jz-9\n")


def test_a_manifest_of_another_site_is_not_published(site: Site, tmp_path: Path) -> None:
    manifest, signatures = site.manifest(tmp_path, "JZ-3", log_pk=SigningKey(b"x" * 32).public)
    assert site.run("tender", "publish", manifest, signatures).refusal == "tender.other_site"


def test_without_a_hall_one_line_says_so(program: Nursery, tmp_path: Path) -> None:
    config = tmp_path / "kaibiao.toml"
    for data in (tmp_path, tmp_path / "none"):
        config.write_text(f"[site]\ndata = {json.dumps(str(data))}\n")
        assert program.run("person", "list", "--config", config).refusal == "operator.away"


def test_a_meeting_is_opened_for_people_who_are_known(site: Site, tmp_path: Path) -> None:
    for role in ("host", "supervisor", "expert"):
        key = SigningKey(f"meeting {role}".encode().ljust(32, b".")).public.hex()
        assert site.add(key, role=role, person=f"the-{role}").code == 0
    seat = {"seat": "a1", "person": "the-expert"}
    venue = {"venue": "main", "name": "江州评标一室", "is_main": True, "seats": [seat]}
    meeting = {
        "title": "滨河东路评标会",
        "venues": [venue],
        "moderator": "the-host",
        "supervisors": ["the-supervisor"],
    }
    file = tmp_path / "meeting.json"

    def opened(*words: str, **changes: object) -> Ran:
        file.write_text(json.dumps(meeting | changes))
        return site.run("meeting", "open", file, *words)

    assert opened(moderator="the-expert").refusal == "meeting.person_twice"
    assert opened(moderator="nobody").refusal == "meeting.person_unknown"
    assert opened(venues=[]).refusal == "meeting.file"
    assert opened("--id", "No Id").refusal == "meeting.id"
    assert opened().out == "meeting meeting-1\npage    /evaluation/meeting-1\n"
    assert opened("--id", "meeting-1").refusal == "meeting.exists"
    file.write_bytes(b"[" * 5_000)
    assert site.run("meeting", "open", file).refusal == "meeting.file"
    file.write_bytes(b" " * 200_000)
    assert site.run("meeting", "open", file).refusal == "json.size"
