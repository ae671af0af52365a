import { beforeAll, describe, expect, test } from "vitest";
import { concat, unhex } from "../../src/crypto/bytes.ts";
import { decode } from "../../src/crypto/canonical.ts";
import { parseCheckpoint } from "../../src/crypto/checkpoint.ts";
import { type DocumentName, decodeDocument } from "../../src/crypto/documents.ts";
import { decodeEntry } from "../../src/crypto/entries.ts";
import { parseForm, parsePaddedForm } from "../../src/crypto/form.ts";
import { parseManifest, parseManifestSignatures } from "../../src/crypto/manifest.ts";
import { parseReceipt, verifyReceipt } from "../../src/crypto/receipts.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { checkText, parseMoney, parseRate } from "../../src/crypto/text.ts";
import { codeOf, repeated, vectors } from "./vectors.ts";

interface Place {
  envelope: number;
  lot: number;
}
type Others = [number, string][];

interface HostileCase {
  check: string;
  name: string;
  runs: [string, number][];
  size_max: number;
  depth_max: number;
  low: number;
  high: number;
  digits: number;
  document: DocumentName;
  place: Place;
  others: Others;
  origin: string;
  log_pk: string;
  code: string | null;
}

const hostile = vectors<{ cases: HostileCase[] }>("formats-hostile.json").cases;
const formats = vectors<{ documents: { name: string; json: string }[] }>("formats.json");

beforeAll(sodiumReady);

function documentNamed(name: string): Uint8Array {
  const found = formats.documents.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no document ${name}`);
  return unhex(found.json);
}

const theManifest = () => parseManifest(documentNamed("manifest"));
const others = (list: Others) =>
  list.map(([envelope, bid_id]) => ({ envelope, bid_id: unhex(bid_id) }));

const textOf = (raw: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(raw);

const CHECKS: Record<string, (raw: Uint8Array, of: HostileCase) => unknown> = {
  json: (raw, of) => decode(raw, { sizeMax: of.size_max, depthMax: of.depth_max }),
  text: (raw, of) => checkText(textOf(raw), of.low, of.high),
  money: (raw) => parseMoney(textOf(raw)),
  rate: (raw, of) => parseRate(textOf(raw), of.digits),
  document: (raw, of) => decodeDocument(of.document, raw),
  manifest: (raw) => parseManifest(raw),
  manifest_signatures: (raw) => parseManifestSignatures(raw, theManifest()),
  form: (raw, of) => parseForm(raw, theManifest(), of.place, others(of.others)),
  padded_form: (raw, of) => parsePaddedForm(raw, theManifest(), of.place, others(of.others)),
  entry: (raw) => decodeEntry(raw),
  checkpoint: (raw, of) => parseCheckpoint(textOf(raw), of.origin, unhex(of.log_pk)),
  receipt: (raw) => verifyReceipt(parseReceipt(raw), theManifest()),
};

describe.each([...new Set(hostile.map((each) => each.check))])("hostile %s", (check) => {
  const cases = hostile.filter((each) => each.check === check);
  test.each(cases)("$name: $code", (vector) => {
    const raw = concat(...vector.runs.map(([piece, times]) => repeated(piece, times)));
    const read = CHECKS[check] as (raw: Uint8Array, of: HostileCase) => unknown;
    expect(codeOf(() => read(raw, vector))).toBe(vector.code ?? "ok");
  });
});
