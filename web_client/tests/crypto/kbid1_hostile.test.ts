import { beforeAll, describe, expect, test } from "vitest";
import { acceptHeader } from "../../src/crypto/accept.ts";
import { ackSignatureOk, parseAck } from "../../src/crypto/ack.ts";
import { type Bytes, concat, equal, hex, unhex } from "../../src/crypto/bytes.ts";
import { parseCard } from "../../src/crypto/card.ts";
import { sha256 } from "../../src/crypto/hashes.ts";
import { type Header, parseHeader } from "../../src/crypto/header.ts";
import { BoxKey, isValidBoxPublic, isValidPublic, verify } from "../../src/crypto/keys.ts";
import { type SignedMessage, signatureOk } from "../../src/crypto/message_parts.ts";
import { contentKey, openPayload } from "../../src/crypto/opening.ts";
import { parseRelease } from "../../src/crypto/release_message.ts";
import { bidderHalfMatches, unsealSeed } from "../../src/crypto/sealing.ts";
import {
  dealCheck,
  findHostHalf,
  hostHalfMatches,
  openShare,
  shareFaults,
} from "../../src/crypto/shares.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { RootHasher } from "../../src/crypto/stream.ts";
import { parseSubmit } from "../../src/crypto/submissions.ts";
import { NACL_1 } from "../../src/crypto/suites/index.ts";
import {
  parseCardUnlock,
  parseSelfRelease,
  parseUnlock,
} from "../../src/crypto/unlock_messages.ts";
import { codeOf, cooked, type Recipe, type TermsVector, termsFrom, vectors } from "./vectors.ts";

type Payload =
  | { hex: string }
  | { stored: string }
  | { K: string; chunks: { index: number; last: boolean; plaintext: Recipe }[]; sha256: string };

interface EnvelopeCase {
  name: string;
  terms: string;
  header: string;
  s_B: string;
  s_H: string;
  payload: Payload;
  expect: string;
  unseal?: string;
}

interface Hostile {
  terms: Record<string, TermsVector>;
  headers: { name: string; terms: string; header: string; expect: string }[];
  stored: Record<string, string>;
  envelopes: EnvelopeCase[];
  salamanders: {
    keys: string[];
    prices: string[];
    nonce: string;
    bare: string;
    envelope: EnvelopeCase;
  };
  payloads: {
    name: string;
    pt_len: number;
    log2_chunk: number;
    payload: Recipe;
    expect: string;
    ct_root: string | null;
  }[];
  boxes: {
    name: string;
    header: string;
    trustee_seeds: string[];
    expect: { status: number; share: string }[];
  }[];
  shares: {
    name: string;
    header: string;
    shares: Record<string, string>;
    unreadable: number[];
    first: number[] | null;
    expect: {
      subset: number[] | null;
      s_H: string | null;
      deal_check: boolean | null;
      faults: { i: number; fault: string }[];
    };
  }[];
  messages: Record<string, { name: string; raw: string; expect: string; public: string }[]>;
  cards: { name: string; text: string; expect: string }[];
}

interface Signatures {
  signatures: {
    name: string;
    public: string;
    message: string;
    signature: string;
    valid: boolean;
    public_valid: boolean;
  }[];
  box_publics: { name: string; public: string; valid: boolean }[];
}

const hostile = vectors<Hostile>("kbid1-hostile.json");
const ed25519 = vectors<Signatures>("ed25519.json");

beforeAll(sodiumReady);

function termsNamed(name: string) {
  return termsFrom(hostile.terms[name] as TermsVector);
}

test.each(hostile.headers)("header: $name is refused as $expect", (vector) => {
  const terms = termsNamed(vector.terms);
  expect(codeOf(() => acceptHeader(unhex(vector.header), terms))).toBe(vector.expect);
});

function payloadOf(payload: Payload): Bytes {
  if ("hex" in payload) return unhex(payload.hex);
  if ("stored" in payload) return unhex(hostile.stored[payload.stored] as string);
  const cipher = NACL_1.cipher(unhex(payload.K));
  const parts = payload.chunks.map(({ index, last, plaintext }) =>
    cipher.seal(index, last, cooked(plaintext)),
  );
  const whole = concat(...parts);
  expect(hex(sha256(whole))).toBe(payload.sha256);
  return whole;
}

/** The check at which this envelope dies, or "opened". */
function firstFailure(header: Header, sB: Bytes, sH: Bytes, payload: Bytes): string {
  if (!bidderHalfMatches(header, sB)) return "bidder_half";
  if (!hostHalfMatches(header, sH)) return "host_half";
  if (!dealCheck(header, sH)) return "deal_check";
  const key = contentKey(header, sB, sH);
  if (key === null) return "content_key";
  const hasher = new RootHasher(header.suite, header.pt_len, header.log2_chunk);
  hasher.update(payload);
  if (!equal(hasher.root(), header.ct_root)) return "ct_root";
  const code = codeOf(() => openPayload(header, key, payload));
  return code === "ok" ? "opened" : code;
}

const salamander = hostile.salamanders.envelope;
test.each([...hostile.envelopes, salamander])("envelope: $name ends at $expect", (vector) => {
  const header = acceptHeader(unhex(vector.header), termsNamed(vector.terms));
  const payload = payloadOf(vector.payload);
  const found = firstFailure(header, unhex(vector.s_B), unhex(vector.s_H), payload);
  expect(found).toBe(vector.expect);
  if (vector.unseal !== undefined) {
    const box = new BoxKey(unhex("78".repeat(32)));
    expect(codeOf(() => unsealSeed(header, box))).toBe(vector.unseal);
  }
});

test("without a key commitment one ciphertext would read two prices", () => {
  const { keys, prices, bare } = hostile.salamanders;
  for (const [at, key] of keys.entries()) {
    const plaintext = NACL_1.cipher(unhex(key)).open(0, true, unhex(bare));
    const block = plaintext?.subarray(16 * at, 16 * at + 16);
    expect(new TextDecoder().decode(block)).toBe(prices[at]);
  }
});

describe.each([1, 777, 65_552, 1_000_000])("payloads in slices of %i bytes", (slice) => {
  const cases = slice === 1 ? hostile.payloads.filter((v) => v.pt_len < 10_000) : hostile.payloads;
  test.each(cases)("$name: $expect", (vector) => {
    const hasher = new RootHasher(NACL_1, vector.pt_len, vector.log2_chunk);
    const payload = cooked(vector.payload);
    let root: string | null = null;
    const code = codeOf(() => {
      for (let at = 0; at < payload.length; at += slice) {
        hasher.update(payload.subarray(at, at + slice));
      }
      root = hex(hasher.root());
    });
    expect([code, root]).toEqual([vector.expect, vector.ct_root]);
  });
});

test.each(hostile.boxes)("boxes: $name", (vector) => {
  const header = parseHeader(unhex(vector.header));
  const answers = vector.trustee_seeds.map((seed, at) => {
    const { status, share } = openShare(header, at + 1, new BoxKey(unhex(seed)));
    return { status, share: hex(share) };
  });
  expect(answers).toEqual(vector.expect);
});

test.each(hostile.shares)("shares: $name", (vector) => {
  const header = parseHeader(unhex(vector.header));
  const shares = new Map(
    Object.entries(vector.shares).map(([i, share]) => [Number(i), unhex(share)]),
  );
  const found = findHostHalf(header, shares, vector.first ?? undefined);
  expect({
    subset: found?.subset ?? null,
    s_H: found && hex(found.hostHalf),
    deal_check: found && dealCheck(header, found.hostHalf),
    faults: found ? shareFaults(header, found.hostHalf, shares, vector.unreadable) : [],
  }).toEqual(vector.expect);
});

const PARSERS: Record<string, (raw: Uint8Array) => unknown> = {
  submit: (raw) => parseSubmit(raw, NACL_1),
  unlock: (raw) => parseUnlock(raw, NACL_1),
  release: (raw) => parseRelease(raw, NACL_1),
  card_unlock: (raw) => parseCardUnlock(raw, NACL_1),
  self_release: (raw) => parseSelfRelease(raw, NACL_1),
  ack: parseAck,
};

describe.each(Object.keys(PARSERS))("messages of kind %s", (kind) => {
  test.each(hostile.messages[kind] ?? [])("$name: $expect", (vector) => {
    const parse = PARSERS[kind] as (raw: Uint8Array) => unknown;
    const raw = unhex(vector.raw);
    if (vector.expect !== "signature") {
      expect(codeOf(() => parse(raw))).toBe(vector.expect);
      return;
    }
    const key = unhex(vector.public);
    const isSigned =
      kind === "ack"
        ? ackSignatureOk(parseAck(raw), key)
        : signatureOk(parse(raw) as SignedMessage, key);
    expect(isSigned).toBe(false);
  });
});

test.each(hostile.cards)("card: $name: $expect", (vector) => {
  expect(codeOf(() => parseCard(vector.text, NACL_1))).toBe(vector.expect);
});

test.each(ed25519.signatures)("Ed25519: $name: $valid", (vector) => {
  const key = unhex(vector.public);
  expect(isValidPublic(key)).toBe(vector.public_valid);
  expect(verify(key, unhex(vector.message), unhex(vector.signature))).toBe(vector.valid);
});

test.each(ed25519.box_publics)("X25519 key $name: $valid", (vector) => {
  expect(isValidBoxPublic(unhex(vector.public))).toBe(vector.valid);
});
