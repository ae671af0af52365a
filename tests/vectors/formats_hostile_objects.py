# ruff: noqa: E501 (one case a line reads better than a case in five)
"""Hostile objects: manifests, forms, entries, checkpoints, receipts; and the lawful ones beside."""

import json
from collections.abc import Callable, Iterator

import formats_examples as example
from formats_cases import Case, Value, case, changed, without
from formats_entries import entry_members

from crypto.canonical import encode
from crypto.form import pad
from crypto.manifest import encode_manifest_signatures
from crypto.objects.entry import EntryType


def object_cases(receipt: bytes, closing: Case) -> Iterator[Case]:
    """``receipt``: the example's bytes; ``closing``: the checkpoint case of formats.json."""
    yield from _documents()
    yield from _manifests()
    yield from _manifest_signatures()
    yield from _forms()
    yield from _padded_forms()
    yield from _entries()
    yield from _checkpoints(closing)
    yield from _receipts(receipt)


def _documents() -> Iterator[Case]:
    manifest = example.manifest_value()
    changes: list[tuple[str, Value, str | None]] = [
        ("as it is", manifest, None),
        ("unknown member", manifest | {"note": "x"}, "object.member_unknown"),
        ("unknown member before a missing one", without(manifest, "log") | {"l": 1}, "object.member_unknown"),
        ("missing member", without(manifest, "quorum"), "object.member_missing"),
        ("unknown member inside", changed(manifest, "log", "url", to="x"), "object.member_unknown"),
        ("missing member inside", without(manifest, "lots", 0, "name"), "object.member_missing"),
        ("another format", changed(manifest, "format", to=2), "object.value"),
        ("true is not 1", changed(manifest, "format", to=True), "object.value"),
        ("true is no integer", changed(manifest, "deadline_ms", to=True), "object.type"),
        ("integer as string", changed(manifest, "deadline_ms", to="1795138200000"), "object.type"),
        ("negative time", changed(manifest, "deadline_ms", to=-1), "object.range"),
        ("null where none may be", changed(manifest, "number", to=None), "object.type"),
        ("array for an object", changed(manifest, "log", to=[]), "object.type"),
        ("object for an array", changed(manifest, "lots", to={}), "object.type"),
        ("no lots", changed(manifest, "lots", to=[]), "object.length"),
        ("log2_chunk too small", changed(manifest, "envelopes", 1, "log2_chunk", to=15), "object.range"),
        ("form of another size", changed(manifest, "envelopes", 0, "pt_len_max", to=65_537), "object.range"),
        ("ten trustees", changed(manifest, "envelopes", 0, "trustees", to=[1] * 10), "object.length"),
        ("body with fields", changed(manifest, "envelopes", 1, "fields", to=[]), "object.member_unknown"),
        ("form without fields", without(manifest, "envelopes", 0, "fields"), "object.member_missing"),
        ("envelope of no kind", changed(manifest, "envelopes", 1, "kind", to="price"), "object.value"),
        ("envelope without kind", without(manifest, "envelopes", 1, "kind"), "object.member_missing"),
        ("hex in capitals", changed(manifest, "log", "pk", to=str.upper), "object.value"),
        ("hex too short", changed(manifest, "log", "pk", to=lambda pk: pk[2:]), "object.value"),
        ("hex with a line feed", changed(manifest, "log", "pk", to=lambda pk: pk + "\n"), "object.value"),
        ("code of 17 characters", changed(manifest, "agency", "code", to="9" * 17), "object.value"),
        ("code with full-width digit", changed(manifest, "agency", "code", to="９" * 18), "object.value"),
        ("code with a line feed", changed(manifest, "agency", "code", to="9" * 18 + "\n"), "object.value"),
        ("blank in origin", changed(manifest, "log", "origin", to="a b/kaibiao/log"), "object.value"),
        ("empty title", changed(manifest, "title", to=""), "text.length"),
        ("title too long", changed(manifest, "title", to="长" * 201), "text.length"),
        ("invisible in title", changed(manifest, "title", to="滨河\u200b东路"), "text.code_point"),
        ("draws", changed(manifest, "draws", to=[{}]), "object.length"),
    ]  # fmt: skip
    for name, value, code in changes:
        yield case("document", name, encode(value), code, document="Manifest")
    too_deep = changed(manifest, "draws", to=[[[[[[[[1]]]]]]]])
    yield case("document", "too deep", encode(too_deep), "json.depth", document="Manifest")
    too_long = changed(manifest, "title", to="x" * 262_145)
    yield case("document", "too long", encode(too_long)[:262_145], "json.size", document="Manifest")


def _manifests() -> Iterator[Case]:
    base = example.manifest_value()
    lot, form = {"lot": 2, "name": "二"}, base["envelopes"][0]
    key, xpk = base["log"]["pk"], base["trustees"][0]["xpk"]
    session = base["sessions"][0]
    changes: list[tuple[str, Value, str | None]] = [
        ("as it is", base, None),
        ("undivided", changed(base, "lots", to=[{"lot": 0, "name": "全部"}]), None),
        ("lot 0 among others", changed(base, "lots", to=[{"lot": 0, "name": "一"}, lot]), "lots"),
        ("lots descending", changed(base, "lots", to=[lot, *base["lots"]]), "lots"),
        ("lot twice", changed(base, "lots", to=[*base["lots"], *base["lots"]]), "lots"),
        ("envelopes descending", changed(base, "envelopes", to=lambda all: all[::-1]), "envelopes"),
        ("envelope twice", changed(base, "envelopes", to=[form, form]), "envelopes"),
        ("body is number 1", changed(base, "envelopes", to=[base["envelopes"][1] | {"envelope": 1}]), "envelopes"),
        ("first is not number 1", changed(base, "envelopes", 0, "envelope", to=0xFFFF_FFFF), "envelopes"),
        ("nothing decides", changed(form_changed(base, 0, "decides", False), "demo", to=True), "fields"),
        ("two decide", form_changed(base, 1, "decides", True), "fields"),
        ("what decides may be absent", form_changed(base, 0, "optional", True), "fields"),
        ("field twice", form_changed(base, 1, "name", "price"), "fields"),
        ("envelope in no session", changed(base, "sessions", 0, "envelopes", to=[1]), "sessions"),
        ("session of no envelope", changed(base, "sessions", 0, "envelopes", to=[1, 2, 3]), "sessions"),
        ("envelope in two sessions", changed(base, "sessions", to=[session, session | {"session": 2}]), "sessions"),
        ("form of session 2", changed(base, "sessions", 0, "session", to=2), "sessions"),
        ("session's envelopes descending", changed(base, "sessions", 0, "envelopes", to=[2, 1]), "sessions"),
        ("all shares needed, no demo", changed(changed(base, "envelopes", 0, "t", to=3), "demo", to=False), "threshold"),
        ("all shares needed, demo", changed(base, "envelopes", 0, "t", to=3), None),
        ("more shares than trustees", changed(base, "envelopes", 0, "t", to=4), "threshold"),
        ("trustee twice", changed(base, "envelopes", 0, "trustees", to=[1, 2, 2]), "trustee_envelopes"),
        ("trustee of no such place", changed(base, "envelopes", 0, "trustees", to=[1, 2, 4]), "trustee_envelopes"),
        ("trustee left out", changed(base, "envelopes", 1, "trustees", to=[1, 2]), "trustee_envelopes"),
        ("trustees in another order", changed(base, "envelopes", 0, "trustees", to=[3, 1, 2]), None),
        ("trustee expires before the deadline", changed(base, "trustees", 0, "expiry_ms", to=example.DEADLINE_MS), "trustee_expiry"),
        ("uncertified refused", changed(base, "uncertified_allowed", to=False), "uncertified"),
        ("no host", changed(base, "officers", 2, "role", to="agency"), "officers"),
        ("no supervisor", changed(base, "officers", 1, "role", to="host"), "officers"),
        ("no signer", changed(base, "officers", 0, "role", to="host"), "officers"),
        ("log named like our labels", changed(base, "log", "origin", to="KBID1.example/kaibiao/log"), "log_names"),
        ("log of another name", changed(base, "log", "origin", to="hall.example/log"), "log_names"),
        ("log without host", changed(base, "log", "origin", to="/kaibiao/log"), "log_names"),
        ("witness named like our labels", changed(base, "witnesses", to=[{"name": "KBID1w", "pk": key}]), "log_names"),
        ("quorum without witnesses", changed(base, "quorum", to=1), "quorum"),
        ("quorum 0, no demo", changed(base, "demo", to=False), "quorum"),
        ("program twice", changed(base, "programs", to=[{"name": "seal.html", "sha256": "00" * 32}] * 2), "programs"),
        ("receipt key is the log's", changed(base, "host_receipt_pk", to=key), "keys"),
        ("officer twice", changed(base, "officers", 0, "pk", to=base["officers"][1]["pk"]), "keys"),
        ("trustee key twice", changed(base, "trustees", 1, "xpk", to=xpk), "keys"),
        ("releasing key is a box key", changed(base, "trustees", 1, "spk", to=xpk), "keys"),
        ("identity as officer's key", changed(base, "officers", 0, "pk", to="01" + "00" * 31), "keys"),
        ("box key of low order", changed(base, "trustees", 0, "xpk", to="00" * 32), "keys"),
        ("proof of other keys", changed(base, "trustees", 0, "proof", to=base["trustees"][1]["proof"]), "trustee_proof"),
        ("proof of another expiry", changed(base, "trustees", 0, "expiry_ms", to=lambda ms: ms + 1), "trustee_proof"),
    ]  # fmt: skip
    for name, value, code in changes:
        yield case("manifest", name, encode(value), code and f"manifest.{code}")
    unknown = encode(changed(base, "suite", to=2))
    yield case("manifest", "unknown suite", unknown, "suite.unknown")
    yield case("manifest", "test suite", example.ODD_MANIFEST_RAW, "suite.unknown")


def form_changed(manifest: Value, field: int, member: str, to: Value) -> Value:
    return changed(manifest, "envelopes", 0, "fields", field, member, to=to)


def _manifest_signatures() -> Iterator[Case]:
    agency, supervisor = ("agency", example.AGENCY), ("supervisor", example.SUPERVISOR)
    whole = encode_manifest_signatures(example.MANIFEST.tender_id, [agency, supervisor])
    value = json.loads(whole)
    other = encode_manifest_signatures(b"\x99" * 32, [agency, supervisor])
    stranger = ("agency", example.BIDDER)
    cases: list[tuple[str, Value, str | None]] = [
        ("both", value, None),
        ("of another tender", json.loads(other), "tender"),
        ("signatures of another tender", json.loads(other) | {"tender_id": example.TENDER_ID}, "invalid"),
        ("the same twice", changed(value, "signatures", 1, to=value["signatures"][0]), "repeated"),
        ("role of another", changed(value, "signatures", 0, "role", to="purchaser"), "officer"),
    ]  # fmt: skip
    signed = encode_manifest_signatures(example.MANIFEST.tender_id, [stranger, supervisor])
    cases.append(("not an officer", json.loads(signed), "officer"))
    for name, each, code in cases:
        full = code and f"manifest_signature.{code}"
        yield case("manifest_signatures", name, encode(each), full)


def _forms() -> Iterator[Case]:
    others = [[number, bid_id.hex()] for number, bid_id in example.OTHERS]
    base = example.FORM_VALUE

    def one(name: str, value: Value, code: str | None, **more: Value) -> Case:
        arguments = {"place": {"envelope": 1, "lot": 1}, "others": others} | more
        return case("form", name, encode(value), code, **arguments)

    def field(member: str, to: Value) -> Value:
        return changed(base, "fields", member, to=to)

    yield one("as it is", base, None)
    yield one("full-width brackets", changed(base, "bidder", "name", to="有限公司（北京）"), None)
    yield one("price with line feed", field("price", "1.00\n"), "money.form")
    yield one("price in full-width digits", field("price", "１２３.00"), "money.form")
    yield one("price with one digit", field("price", "1.0"), "money.form")
    yield one("price as integer", field("price", 71_000_000), "form.field_type")
    yield one("days as string", field("days", "160"), "form.field_type")
    yield one("days as bool", field("days", True), "form.field_type")
    yield one("no days", field("days", 0), "days.range")
    yield one("too many days", field("days", 3651), "days.range")
    yield one("null", field("manager", None), "form.field_type")
    yield one("text too long", field("manager", "何" * 41), "text.length")
    yield one("invisible in text", field("manager", "何\u200b川"), "text.code_point")
    yield one("field missing", without(base, "fields", "manager"), "form.fields")
    yield one("field too many", field("note", "x"), "form.fields")
    yield one(
        "invisible in name", changed(base, "bidder", "name", to="江\u200b州"), "text.code_point"
    )
    yield one(
        "right-to-left override", changed(base, "bidder", "name", to="a\u202eb"), "text.code_point"
    )
    yield one("decomposed name", changed(base, "bidder", "name", to="Cafe\u0301"), "text.not_nfc")
    yield one("traces not asked for", base | {"traces": _NO_TRACES}, "form.traces")
    yield one("another lot", changed(base, "lot", to=2), "form.lot")
    yield one("others left out", changed(base, "others", to=[]), "form.others")
    yield one("another body", changed(base, "others", 0, "bid_id", to="00" * 32), "form.others")
    yield one("unknown member", base | {"remark": "x"}, "object.member_unknown")
    yield one("missing member", without(base, "format"), "object.member_missing")
    yield one("too deep", field("manager", [[["x"]]]), "json.depth")
    long = encode(field("manager", "x" * 60_000))
    yield case(
        "form", "too long", long, "json.size", place={"envelope": 1, "lot": 1}, others=others
    )


_NO_TRACES = {"deposit_account": "", "file_id": "", "lock_numbers": [], "machine_code": ""}


def _padded_forms() -> Iterator[Case]:
    raw = encode(example.FORM_VALUE)
    arguments = {
        "place": {"envelope": 1, "lot": 1},
        "others": [[number, bid_id.hex()] for number, bid_id in example.OTHERS],
    }

    def one(name: str, padded: bytes, code: str | None) -> Case:
        return case("padded_form", name, padded, code, **arguments)

    padded = pad(raw)
    yield one("as it is", padded, None)
    yield one("NULs before the padding", pad(raw + bytes(5)), "json.syntax")
    yield one("blank before the padding", pad(raw + b" "), "json.not_canonical")
    yield one("no mark", raw + bytes(4096 - len(raw)), "form.padding")
    yield one("another mark", raw + b"\x01" + bytes(4095 - len(raw)), "form.padding")
    yield one("something after the mark", padded[:-1] + b"\x01", "form.padding")
    yield one("a block too many", padded + bytes(4096), "form.padding")
    yield one("a byte too few", padded[:-1], "form.padding")
    yield one("nothing", b"", "form.padding")
    yield one("one block of padding", pad(b""), "json.syntax")
    yield one("too long", bytes(65_536) + padded, "form.padding")


def _entries() -> Iterator[Case]:
    def entry(number: int, text: bytes) -> bytes:
        return example.SALT + bytes([number]) + text

    closed = entry_members(EntryType.DEADLINE_CLOSED)
    raw = encode(closed)
    yield case("entry", "as it is", entry(6, raw), None)
    yield case("entry", "of another type", entry(7, raw), "object.member_unknown")
    yield case("entry", "type 0", entry(0, raw), "entry.type")
    yield case("entry", "type kept for draws", entry(32, raw), "entry.type")
    yield case("entry", "no JSON", entry(6, b""), "entry.size")
    yield case("entry", "salt only", example.SALT, "entry.size")
    yield case("entry", "too long", entry(6, raw + b" " * 4096), "entry.size")
    yield case("entry", "blank after", entry(6, raw + b" "), "json.not_canonical")
    yield case(
        "entry", "no time", entry(6, encode(without(closed, "server_ms"))), "object.member_missing"
    )
    yield case(
        "entry",
        "no tender",
        entry(6, encode(without(closed, "tender_id"))),
        "object.member_missing",
    )
    yield case(
        "entry", "member too many", entry(6, encode(closed | {"sigs": []})), "object.member_unknown"
    )
    yield case("entry", "negative count", entry(6, encode(closed | {"count": -1})), "object.range")
    head = entry_members(EntryType.HEAD)
    yield case(
        "entry", "unknown stream", entry(30, encode(head | {"stream": "room:1"})), "object.value"
    )
    yield case(
        "entry",
        "stream and line feed",
        entry(30, encode(head | {"stream": "registry\n"})),
        "object.value",
    )
    with_tender = encode(head | {"tender_id": example.TENDER_ID})
    yield case("entry", "tender where none is", entry(30, with_tender), "object.member_unknown")


def _checkpoints(closing: Case) -> Iterator[Case]:
    text: str = closing["checkpoint"]
    arguments = {"origin": closing["origin"], "log_pk": closing["log_pk"]}
    root = text.split("\n")[2]
    edits: list[tuple[str, Callable[[str], str], str | None]] = [
        ("as it is", lambda t: t, None),
        ("another origin", lambda t: "x" + t, "origin"),
        ("size 0", lambda t: t.replace("\n1\n", "\n0\n"), "form"),
        ("size with zero before", lambda t: t.replace("\n1\n", "\n01\n"), "form"),
        ("size beyond 2^53-1", lambda t: t.replace("\n1\n", "\n9007199254740992\n"), "form"),
        ("size in full-width digits", lambda t: t.replace("\n1\n", "\n１\n"), "form"),
        ("another size", lambda t: t.replace("\n1\n", "\n2\n"), "signature"),
        ("another root", lambda t: t.replace(root, root.replace("y", "Y", 1)), "signature"),
        ("root of 31 bytes", lambda t: t.replace(root, root[:-4] + "AA=="), "form"),
        ("root with unused bits", lambda t: t.replace(root, root[:-2] + "Z="), "form"),
        ("root without padding", lambda t: t.replace(root, root[:-1]), "form"),
        ("carriage returns", lambda t: t.replace("\n", "\r\n"), "form"),
        ("extension line", lambda t: t.replace("\n\n", "\nx\n\n"), "form"),
        ("second signature", lambda t: t + t.split("\n")[4] + "\n", "form"),
        ("no last line feed", lambda t: t[:-1], "form"),
        ("hyphen for the dash", lambda t: t.replace("—", "-"), "form"),
        ("another key name", lambda t: t.replace("— hall", "— hell"), "form"),
        ("another key id", lambda t: t.replace(" caxL", " daxL"), "key"),
        ("another signature", lambda t: t.replace("E7qR", "E7qS"), "signature"),
        ("too long", lambda t: t + "x" * 2048, "size"),
    ]
    for name, edit, code in edits:
        yield case("checkpoint", name, edit(text), code and f"checkpoint.{code}", **arguments)


def _receipts(receipt: bytes) -> Iterator[Case]:
    base = json.loads(receipt)
    ack, siblings = base["ack"], base["proof"]["siblings"]

    def flipped(text: str) -> str:
        return text[:-1] + ("0" if text[-1] != "0" else "1")

    edits: list[tuple[str, Value, str | None]] = [
        ("as it is", base, None),
        ("not closed yet", changed(base, "closed_path", to=None), None),
        ("promise cut", changed(base, "ack", to=ack[:-2]), "ack.length"),
        ("promise of another signature", changed(base, "ack", to=flipped), "receipt.signature"),
        ("promise of another tender", changed(base, "ack", to=ack[:16] + "00" * 32 + ack[80:]), "receipt.tender"),
        ("promise of another result", changed(base, "ack", to=ack[:146] + "01" + ack[148:]), "receipt.signature"),
        ("another message", changed(base, "message", to=flipped), "receipt.message"),
        ("another slot", changed(base, "proof", "slot", to=0x8004), "proof.root"),
        ("another sibling", changed(base, "proof", "siblings", 3, to=flipped), "proof.root"),
        ("siblings swapped", changed(base, "proof", "siblings", to=siblings[::-1]), "proof.root"),
        ("another tick", changed(base, "proof", "tick_ms", to=lambda ms: ms + 1), "proof.root"),
        ("another index", changed(base, "proof", "index", to=3), "proof.root"),
        ("index outside", changed(base, "proof", "index", to=6), "proof.index"),
        ("another size", changed(base, "proof", "size", to=5), "proof.size"),
        ("path too short", changed(base, "proof", "path", to=lambda path: path[1:]), "proof.length"),
        ("path too long", changed(base, "proof", "path", to=lambda path: [*path, path[0]]), "proof.length"),
        ("another entry", changed(base, "proof", "entry", to=flipped), "proof.root"),
        ("checkpoint of another signature", changed(base, "checkpoint", to=lambda t: t.replace("=\n", "A\n")), "checkpoint.form"),
    ]  # fmt: skip
    for name, value, code in edits:
        yield case("receipt", name, encode(value), code)
