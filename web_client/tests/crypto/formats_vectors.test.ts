import { beforeAll, expect, test } from "vitest";
import { batchRoot, siteLeaf } from "../../src/crypto/batch.ts";
import { concat, equal, hex, u8, u32, unhex } from "../../src/crypto/bytes.ts";
import { decode, encode, type Json, type JsonObject } from "../../src/crypto/canonical.ts";
import { fingerprint, parseCheckpoint, signCheckpoint } from "../../src/crypto/checkpoint.ts";
import {
  type DocumentName,
  type DocumentTypes,
  decodeDocument,
  encodeDocument,
} from "../../src/crypto/documents.ts";
import { DrawStream, drawSeed } from "../../src/crypto/draw.ts";
import { actMessage, decodeEntry, encodeEntry } from "../../src/crypto/entries.ts";
import {
  encodeForm,
  FORM_BLOCK,
  namedOthers,
  pad,
  parseForm,
  unpad,
} from "../../src/crypto/form.ts";
import { blake2b, blake2b256, label, sha256 } from "../../src/crypto/hashes.ts";
import { SigningKey } from "../../src/crypto/keys.ts";
import {
  manifestMessage,
  parseManifest,
  parseManifestSignatures,
  trusteeMessage,
} from "../../src/crypto/manifest.ts";
import { checkConsistency, leafHash, merkleRoot, rootFromPath } from "../../src/crypto/merkle.ts";
import { closedListRoot, inClosedList } from "../../src/crypto/receipts.ts";
import { bindMessage, checkRegistration, inviteMessage } from "../../src/crypto/registration.ts";
import { bodyHash, rowHash } from "../../src/crypto/rows.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { moneyText, parseMoney, parseRate, rateText } from "../../src/crypto/text.ts";
import type { BidderRegEntry } from "../../src/formats.ts";
import { codeOf, vectors } from "./vectors.ts";

interface Place {
  envelope: number;
  lot: number;
}
type Others = [number, string][];

interface Formats {
  documents: { name: string; document: DocumentName; json: string; sha256: string }[];
  entries: {
    type: number;
    name: string;
    salt: string;
    json: string;
    entry: string;
    leaf: string;
    act_message: string | null;
  }[];
  tender: {
    tender_id: string;
    manifest_message: string;
    trustee_messages: string[];
    bind_message: string;
    invite_message: string;
  };
  form: {
    place: Place;
    others: Others;
    json: string;
    sha256: string;
    padded_size: number;
    padded_blake2b_256: string;
    values: Record<string, number | string>;
    decisive: number | string;
  };
  row: Record<"salt" | "body" | "body_hash" | "stub" | "prev_hash" | "hash", string>;
  closing: {
    entry: string;
    leaf: string;
    slot: number;
    siblings: string[];
    batch_root: string;
    tick_ms: number;
    root: string;
    fingerprint: string;
    origin: string;
    log_pk: string;
    size: number;
    checkpoint: string;
  };
  batches: {
    secret: string;
    entries: { slot: number; entry: string; siblings: string[] }[];
    root: string;
  }[];
  site_tree: {
    leaves: string[];
    roots: string[];
    inclusion: { index: number; size: number; path: string[] }[];
    consistency: { from: number; to: number; path: string[] }[];
    closed_list: { submits: string[]; root: string; path_of_first: string[] };
  };
  draws: {
    manifest_hash: string;
    parts: string[];
    beacon: string;
    seed: string;
    label: string;
    candidates: string[];
    k: number;
    chosen: string[];
    steps: [number, number, number][];
  }[];
  numbers: {
    money: { text: string; fen: number }[];
    rate: { text: string; digits: number; units: number }[];
  };
}

const formats = vectors<Formats>("formats.json");

beforeAll(sodiumReady);

function documentNamed(name: string): Uint8Array {
  const found = formats.documents.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no document ${name}`);
  return unhex(found.json);
}

const theManifest = () => parseManifest(documentNamed("manifest"));
const others = (list: Others) =>
  list.map(([envelope, bid_id]) => ({ envelope, bid_id: unhex(bid_id) }));
const nodes = (path: string[]) => path.map((node) => unhex(node));

test.each(formats.documents)("document $name is read and written again", (vector) => {
  const raw = unhex(vector.json);
  expect(hex(sha256(raw))).toBe(vector.sha256);
  const value = decodeDocument(vector.document, raw) as DocumentTypes[DocumentName];
  expect(equal(encodeDocument(vector.document, value), raw)).toBe(true);
});

test.each(formats.entries)("entry $name is read and written again", (vector) => {
  const entry = decodeEntry(unhex(vector.entry));
  expect([entry.type, hex(encode(entry.members))]).toEqual([vector.type, vector.json]);
  expect(hex(encodeEntry(vector.type, entry.members, unhex(vector.salt)))).toBe(vector.entry);
  expect(hex(leafHash(entry.raw))).toBe(vector.leaf);
  if (vector.act_message !== null) {
    const tenderId = unhex(formats.tender.tender_id);
    expect(hex(actMessage(vector.type, tenderId, entry.members))).toBe(vector.act_message);
  }
});

test("what officers, trustees, bidder and receipt key sign is as printed", () => {
  const manifest = theManifest();
  expect(hex(manifest.tender_id)).toBe(formats.tender.tender_id);
  expect(hex(manifestMessage(manifest.tender_id))).toBe(formats.tender.manifest_message);
  const messages = manifest.members.trustees.map((trustee) => hex(trusteeMessage(trustee)));
  expect(messages).toEqual(formats.tender.trustee_messages);
  expect(parseManifestSignatures(documentNamed("manifest.sig"), manifest)).toHaveLength(2);
  const entry = formats.entries.find((each) => each.name === "BIDDER_REG");
  const members = decodeEntry(unhex(entry?.entry ?? "")).members;
  const registration = members as unknown as BidderRegEntry;
  expect(() => checkRegistration(registration, manifest)).not.toThrow();
  const claims = {
    tender_id: manifest.tender_id,
    bidder_pk: unhex(registration.bidder_pk),
    bidder_xpk: unhex(registration.bidder_xpk),
    expiry_ms: registration.expiry_ms,
    org_sha256: unhex(registration.org_sha256),
  };
  expect(hex(bindMessage(claims))).toBe(formats.tender.bind_message);
  expect(hex(inviteMessage(claims))).toBe(formats.tender.invite_message);
  const other = { ...registration, expiry_ms: registration.expiry_ms + 1 };
  expect(codeOf(() => checkRegistration(other, manifest))).toBe("registration.possession");
});

test("the manifest of the test suite is read only where it is asked for", () => {
  const raw = documentNamed("manifest-odd-sizes");
  expect(codeOf(() => parseManifest(raw))).toBe("suite.unknown");
  expect(parseManifest(raw, { allowTest: true }).suite.name).toBe("odd-sizes");
});

test("the form of formats.md §4 says what is printed there", () => {
  const { form } = formats;
  const manifest = theManifest();
  const parsed = parseForm(unhex(form.json), manifest, form.place, others(form.others));
  expect(hex(parsed.sha256)).toBe(form.sha256);
  expect(Object.fromEntries(parsed.values)).toEqual(form.values);
  expect(parsed.decisive).toBe(form.decisive);
  expect(namedOthers(parsed.members)).toEqual(others(form.others));
  const padded = pad(parsed.raw, FORM_BLOCK);
  expect([padded.length, hex(blake2b256(padded))]).toEqual([
    form.padded_size,
    form.padded_blake2b_256,
  ]);
  expect(unpad(padded, FORM_BLOCK)).toEqual(parsed.raw);
  const { bidder, fields } = parsed.members;
  const input = {
    bidder,
    fields: fields as Record<string, string | number>,
    others: others(form.others),
  };
  expect(hex(encodeForm(manifest, form.place, input))).toBe(form.json);
});

test("a journal row has the hashes printed", () => {
  const { row } = formats;
  const body = bodyHash(unhex(row.salt), unhex(row.body));
  expect(hex(body)).toBe(row.body_hash);
  expect(hex(rowHash(unhex(row.prev_hash), body, unhex(row.stub)))).toBe(row.hash);
});

test("the closing entry leads to its checkpoint", () => {
  const { closing } = formats;
  const root = batchRoot(unhex(closing.entry), closing.slot, nodes(closing.siblings));
  expect(hex(root)).toBe(closing.batch_root);
  const site = siteLeaf(closing.tick_ms, root);
  expect([hex(site), fingerprint(site)]).toEqual([closing.root, closing.fingerprint]);
  const { origin, size } = closing;
  expect(parseCheckpoint(closing.checkpoint, origin, unhex(closing.log_pk)).root).toEqual(site);
  const key = new SigningKey(new Uint8Array(32).fill(0x32));
  expect(signCheckpoint(origin, size, site, key)).toBe(closing.checkpoint);
});

test("every entry of every batch leads to its root; an empty batch is filler", () => {
  for (const batch of formats.batches) {
    for (const { slot, entry, siblings } of batch.entries) {
      expect(hex(batchRoot(unhex(entry), slot, nodes(siblings)))).toBe(batch.root);
    }
    if (batch.entries.length === 0) {
      const place = concat(label("KBLOG1 filler"), u8(16), u32(0));
      expect(hex(blake2b([place], 32, unhex(batch.secret)))).toBe(batch.root);
    }
  }
});

test("paths of the site tree and of the closed list prove what they say", () => {
  const { leaves, roots, inclusion, consistency, closed_list } = formats.site_tree;
  const hashes = leaves.map((leaf) => leafHash(unhex(leaf)));
  for (const [size, root] of roots.entries()) {
    expect(hex(merkleRoot(hashes.slice(0, size)))).toBe(root);
  }
  for (const { index, size, path } of inclusion) {
    const leaf = hashes[index] as Uint8Array;
    expect(hex(rootFromPath(leaf, index, size, nodes(path)))).toBe(roots[size]);
  }
  const head = (size: number) => ({ size, root: unhex(roots[size] ?? "") });
  for (const { from, to, path } of consistency) {
    expect(() => checkConsistency(head(from), head(to), nodes(path))).not.toThrow();
  }
  const submits = nodes(closed_list.submits);
  expect(hex(closedListRoot(submits))).toBe(closed_list.root);
  const [first, second] = submits as [Uint8Array, Uint8Array];
  const path = nodes(closed_list.path_of_first);
  const root = unhex(closed_list.root);
  expect(inClosedList(first, path, submits.length, root)).toBe(true);
  expect(inClosedList(second, path, submits.length, root)).toBe(false);
});

test.each(formats.draws)("draw $label comes out step by step", (vector) => {
  const parts = vector.parts.map((part) => unhex(part));
  const seed = drawSeed(unhex(vector.manifest_hash), parts, unhex(vector.beacon));
  expect(hex(seed)).toBe(vector.seed);
  const stream = new DrawStream(seed, vector.label);
  expect(stream.choose(vector.candidates, vector.k)).toEqual(vector.chosen);
  expect(stream.steps.map(({ i, n, index }) => [i, n, index])).toEqual(vector.steps);
});

test("amounts and rates have one spelling", () => {
  for (const { text, fen } of formats.numbers.money) {
    expect([parseMoney(text), moneyText(fen)]).toEqual([fen, text]);
  }
  for (const { text, digits, units } of formats.numbers.rate) {
    expect([parseRate(text, digits), rateText(units, digits)]).toEqual([units, text]);
  }
});

test("what we write, we read back, whatever the members are called", () => {
  const odd: JsonObject = JSON.parse('{"__proto__":{"a":1},"constructor":2,"z":[]}');
  const raw = encode(odd as Json);
  const value = decode(raw, { sizeMax: 100, depthMax: 3 });
  expect(encode(value)).toEqual(raw);
  expect(Object.keys(value as object)).toEqual(["__proto__", "constructor", "z"]);
});
