import { beforeAll, describe, expect, test } from "vitest";
import { acceptHeader } from "../../src/crypto/accept.ts";
import { ackSignatureOk, buildAck, parseAck } from "../../src/crypto/ack.ts";
import { type Bytes, equal, hex, unhex } from "../../src/crypto/bytes.ts";
import { cardText, parseCard } from "../../src/crypto/card.ts";
import { sha256 } from "../../src/crypto/hashes.ts";
import { headerSize, layoutOf } from "../../src/crypto/header.ts";
import { createKeyFile, openKeyFile } from "../../src/crypto/keyfile.ts";
import { BoxKey, SigningKey } from "../../src/crypto/keys.ts";
import { signatureOk } from "../../src/crypto/message_parts.ts";
import { contentKey, openPayload } from "../../src/crypto/opening.ts";
import { buildRelease, parseRelease } from "../../src/crypto/release_message.ts";
import { keyAndCommitment, plaintextBlind } from "../../src/crypto/schedule.ts";
import { ownBidderHalf, sealBytes } from "../../src/crypto/sealing.ts";
import { dealCheck, openShare } from "../../src/crypto/shares.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { chunkSizes } from "../../src/crypto/stream.ts";
import { buildSubmit, parseSubmit } from "../../src/crypto/submissions.ts";
import { getSuite, type Suite } from "../../src/crypto/suites/index.ts";
import {
  buildCardUnlock,
  buildSelfRelease,
  buildUnlock,
  parseCardUnlock,
  parseSelfRelease,
  parseUnlock,
} from "../../src/crypto/unlock_messages.ts";
import { codeOf, cooked, type Recipe, type TermsVector, termsFrom, vectors } from "./vectors.ts";

interface EnvelopeVector {
  name: string;
  terms: TermsVector;
  inputs: {
    sign_seed: string;
    xpk_seed: string;
    trustee_seeds: string[];
    lot: number;
    created_ms: number;
    bid_nonce: string;
    seed: string;
    plaintext: Recipe;
  };
  accept: string;
  shares: string[];
  header: string;
  header_sha256: string;
  chunk_sizes: number[];
  payload: string | null;
  payload_sha256: string;
  [value: string]: unknown;
}

// Items of messages differ by kind; each test names the members it reads.
type Inputs = Record<string, string> & { items: Record<string, string | number>[] };
interface MessageVector {
  inputs: Inputs;
  raw: string;
  digest: string;
  signer: string | null;
}

interface Vectors {
  suite: Record<string, number | string>;
  envelopes: EnvelopeVector[];
  messages: Record<string, MessageVector[]> & {
    card: { bid_id: string; s_B: string; text: string }[];
  };
  keyfiles?: Record<string, string>[];
}

beforeAll(sodiumReady);

const FILES = ["kbid1.json", "suite-ff01.json"].map((name) => ({
  name,
  file: vectors<Vectors>(name),
}));

describe.each(FILES)("$name", ({ file }) => {
  const suite = getSuite(file.suite["id"] as number, { allowTest: true });

  test("names the sizes and offsets that this suite's layout has", () => {
    const sizes = Object.fromEntries(
      Object.entries(suite.sizes).map(([name, size]) => [
        `${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_size`,
        size,
      ]),
    );
    const layout = layoutOf(suite);
    expect(file.suite).toMatchObject({
      name: suite.name,
      core_size: layout.core,
      rows_at: layout.core + layout.fixed,
      row_size: layout.row,
      header_size_of_three: headerSize(suite, 3),
    });
    for (const [name, size] of Object.entries(file.suite)) {
      const isOurs = name in sizes && name !== "core_size" && name !== "row_size";
      if (isOurs) expect([name, sizes[name]]).toEqual([name, size]);
    }
  });

  test.each(file.envelopes)("$name is sealed byte for byte, accepted, and opened", (vector) => {
    const { inputs } = vector;
    const terms = termsFrom(vector.terms);
    const plaintext = cooked(inputs.plaintext);
    const sealed = sealBytes(
      {
        terms,
        lot: inputs.lot,
        created_ms: inputs.created_ms,
        bid_nonce: unhex(inputs.bid_nonce),
        seed: unhex(inputs.seed),
        key: new SigningKey(unhex(inputs.sign_seed)),
      },
      plaintext,
    );
    const { header } = sealed;
    const way = keyAndCommitment(suite, header.ad, sealed.bidderHalf, sealed.hostHalf);
    const found: Record<string, Bytes> = {
      ad: header.ad,
      s_B: sealed.bidderHalf,
      s_H: sealed.hostHalf,
      K: way.key,
      r_P: plaintextBlind(suite, header.ad, sealed.bidderHalf, sealed.hostHalf),
      c_B: header.c_B,
      c_H: header.c_H,
      c_K: header.c_K,
      c_P: header.c_P,
      ct_root: header.ct_root,
      box_B: header.box_B,
      sig: header.sig,
      bid_id: header.bid_id,
      header: header.raw,
      header_sha256: sha256(header.raw),
      payload_sha256: sha256(sealed.payload),
    };
    for (const [name, value] of Object.entries(found)) {
      expect([name, hex(value)]).toEqual([name, vector[name]]);
    }
    expect(chunkSizes(suite, header.pt_len, header.log2_chunk)).toEqual(vector.chunk_sizes);
    if (vector.payload !== null) expect(hex(sealed.payload)).toBe(vector.payload);
    expect(codeOf(() => acceptHeader(header.raw, terms))).toBe(vector.accept);

    const trustees = inputs.trustee_seeds.map((seed) => new BoxKey(unhex(seed)));
    const shares = trustees.map((trustee, at) => openShare(header, at + 1, trustee));
    expect(shares.map(({ share }) => hex(share))).toEqual(vector.shares);
    expect(dealCheck(header, sealed.hostHalf)).toBe(true);
    const half = ownBidderHalf(header, new BoxKey(unhex(inputs.xpk_seed)));
    const key = contentKey(header, half, sealed.hostHalf);
    if (key === null) throw new Error("c_K differs");
    expect(equal(openPayload(header, key, sealed.payload), plaintext)).toBe(true);
  });

  test.each(MESSAGES)("every %s is built from its inputs and read back", (kind, build, parse) => {
    const list = file.messages[kind] ?? [];
    expect(list.length).toBeGreaterThan(0);
    for (const vector of list) {
      const built = build(suite, vector.inputs);
      expect(hex(built.raw)).toBe(vector.raw);
      expect(hex(built.digest)).toBe(vector.digest);
      const parsed = parse(unhex(vector.raw), suite);
      expect(parsed).toEqual(built);
      const { signer } = vector;
      if (signer !== null && "label" in parsed) {
        expect(signatureOk(parsed, unhex(signer))).toBe(true);
      }
    }
  });

  test("every ack is built from its inputs and signed by the receipt key", () => {
    for (const { inputs, raw, digest, signer } of file.messages["ack"] ?? []) {
      const built = buildAck(new SigningKey(text(inputs, "sign_seed")), {
        tender_id: text(inputs, "tender_id"),
        kind: number(inputs, "kind"),
        message_sha256: text(inputs, "message_sha256"),
        result: number(inputs, "result"),
        server_ms: number(inputs, "server_ms"),
        signed_ms: number(inputs, "signed_ms"),
      });
      expect([hex(built.raw), hex(built.digest)]).toEqual([raw, digest]);
      expect(parseAck(unhex(raw)).integrate_by_ms).toBe(number(inputs, "integrate_by_ms"));
      expect(ackSignatureOk(built, unhex(signer ?? ""))).toBe(true);
    }
  });

  test("every card reads as it was written", () => {
    for (const { bid_id, s_B, text: written } of file.messages.card) {
      expect(cardText(unhex(bid_id), unhex(s_B), suite)).toBe(written);
      const card = parseCard(written, suite);
      expect(hex(card.bidder_half)).toBe(s_B);
      expect(bid_id.startsWith(hex(card.bid_id_start))).toBe(true);
    }
  });

  test.each(file.keyfiles ?? [])("a key file opens with its passphrase only (%#)", (vector) => {
    const { passphrase = "", file: written = "" } = vector;
    const bytes = (name: string) => unhex(vector[name] ?? "");
    const keys = {
      tender_id: bytes("tender_id"),
      sign_seed: bytes("sign_seed"),
      xpk_seed: bytes("xpk_seed"),
    };
    const fresh = { salt: bytes("salt"), nonce: bytes("nonce") };
    const raw = createKeyFile(passphrase, keys, fresh);
    expect(new TextDecoder().decode(raw)).toBe(written);
    const opened = openKeyFile(raw, passphrase);
    expect(opened.signing.seed).toEqual(keys.sign_seed);
    expect(opened.box.seed).toEqual(keys.xpk_seed);
    expect(codeOf(() => openKeyFile(raw, `${passphrase}x`))).toBe("keyfile.passphrase");
    expect(codeOf(() => openKeyFile(raw, ""))).toBe("keyfile.passphrase_length");
  });
});

function text(inputs: Inputs | Record<string, string | number>, name: string): Bytes {
  return unhex(String((inputs as Record<string, string>)[name]));
}

function number(inputs: Inputs | Record<string, string | number>, name: string): number {
  return Number((inputs as Record<string, string>)[name]);
}

type Built = { raw: Bytes; digest: Bytes };
type Build = (suite: Suite, inputs: Inputs) => Built;
type Parse = (raw: Uint8Array, suite: Suite) => ReturnType<typeof parseSubmit> | Built;

// biome-ignore format: one line a kind
const MESSAGES: [string, Build, Parse][] = [
  ["submit", (suite, inputs) => buildSubmit(suite, {
    tender_id: text(inputs, "tender_id"), lot: number(inputs, "lot"), seq: number(inputs, "seq"),
    prev: text(inputs, "prev"), kind: number(inputs, "kind") as 1 | 2,
    items: inputs.items.map((item) => ({
      envelope: number(item, "envelope"), bid_id: text(item, "bid_id") })),
  }, new SigningKey(text(inputs, "sign_seed"))), parseSubmit],
  ["unlock", (suite, inputs) => buildUnlock(suite, {
    tender_id: text(inputs, "tender_id"), opening_nonce: text(inputs, "opening_nonce"),
    envelope: number(inputs, "envelope"), w: number(inputs, "w"),
    items: inputs.items.map((item) => ({
      bid_id: text(item, "bid_id"), bidder_half: text(item, "s_B") })),
  }, new SigningKey(text(inputs, "sign_seed"))), parseUnlock],
  ["release", (suite, inputs) => buildRelease(suite, {
    tender_id: text(inputs, "tender_id"), root: text(inputs, "root"), size: number(inputs, "size"),
    opening_nonce: text(inputs, "opening_nonce"), envelope: number(inputs, "envelope"),
    i: number(inputs, "i"), mode: number(inputs, "mode"),
    items: inputs.items.map((item) => ({
      bid_id: text(item, "bid_id"), status: number(item, "status"), share: text(item, "share") })),
  }, new SigningKey(text(inputs, "sign_seed"))), parseRelease],
  ["card_unlock", (suite, inputs) => buildCardUnlock(suite, {
    tender_id: text(inputs, "tender_id"), opening_nonce: text(inputs, "opening_nonce"),
    bid_id: text(inputs, "bid_id"), bidder_half: text(inputs, "s_B"),
  }), parseCardUnlock],
  ["self_release", (suite, inputs) => buildSelfRelease(suite, {
    tender_id: text(inputs, "tender_id"), opening_nonce: text(inputs, "opening_nonce"),
    bid_id: text(inputs, "bid_id"), host_half: text(inputs, "s_H"),
  }), parseSelfRelease],
];
