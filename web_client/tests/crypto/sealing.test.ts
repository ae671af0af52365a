import { beforeAll, describe, expect, test } from "vitest";
import { acceptCore, acceptHeader, type EnvelopeTerms } from "../../src/crypto/accept.ts";
import { concat, equal, hex, utf8 } from "../../src/crypto/bytes.ts";
import { sha256 } from "../../src/crypto/hashes.ts";
import { parseHeader } from "../../src/crypto/header.ts";
import { BoxKey, SigningKey } from "../../src/crypto/keys.ts";
import { contentKey, openPayload, openTo } from "../../src/crypto/opening.ts";
import {
  bidderHalfMatches,
  ownBidderHalf,
  type Sealed,
  sealBytes,
  unsealSeed,
} from "../../src/crypto/sealing.ts";
import { dealCheck, findHostHalf, openShare, shareFaults } from "../../src/crypto/shares.ts";
import { sodiumReady } from "../../src/crypto/sodium.ts";
import { chunkSizes, RootHasher } from "../../src/crypto/stream.ts";
import { NACL_1, ODD_SIZES, type Suite } from "../../src/crypto/suites/index.ts";

const filled = (character: string, size: number) => utf8(character.repeat(size));
const seed = Uint8Array.from({ length: 32 }, (_, i) => i);

let key: SigningKey;
let box: BoxKey;
let trustees: BoxKey[];

beforeAll(async () => {
  await sodiumReady();
  key = new SigningKey(seed);
  box = new BoxKey(filled("x", 32));
  trustees = [1, 2, 3].map((byte) => new BoxKey(new Uint8Array(32).fill(byte)));
});

function terms(suite: Suite, kind: "form" | "body"): EnvelopeTerms {
  return {
    suite,
    tender_id: filled("T", 32),
    lots: [1],
    envelope: kind === "form" ? 1 : 2,
    kind,
    log2_chunk: 16,
    pt_len_max: kind === "form" ? 65_536 : 2 ** 31,
    t: 2,
    trustee_xpks: trustees.map((trustee) => trustee.public),
    demo: false,
    bidder_pk: key.public,
    bidder_xpk: box.public,
  };
}

function seal(suite: Suite, kind: "form" | "body", plaintext: Uint8Array, secrets = "sn"): Sealed {
  const input = {
    terms: terms(suite, kind),
    lot: 1,
    created_ms: 1700000000000,
    seed: filled(secrets[0] as string, suite.sizes.seed),
    bid_nonce: filled(secrets[1] as string, suite.sizes.bidNonce),
    key,
  };
  return sealBytes(input, plaintext);
}

/** sodium_pad to a multiple of `block`. */
function padded(text: string, block: number): Uint8Array {
  const data = utf8(text);
  const out = new Uint8Array((Math.floor(data.length / block) + 1) * block);
  out.set(data);
  out[data.length] = 0x80;
  return out;
}

describe("the vector printed in the specification", () => {
  let sealed: Sealed;
  beforeAll(() => {
    const plaintext = concat(utf8('{"price":"71000000.00"}'), new Uint8Array(150_000));
    sealed = seal(NACL_1, "body", plaintext);
  });

  test("gives every value of 4.2 and 4.5", () => {
    const { header } = sealed;
    expect(hex(header.ad)).toBe("069bb8f899d5ca1c022f01b71193e63fd27e00f9952d7183220718f315f9ae30");
    expect(hex(sealed.bidderHalf)).toBe(
      "2218b116949bfb0d1c581dd3be4ee40b1a4508f41ef1ced7b0365e4218f141d9",
    );
    expect(hex(sealed.hostHalf)).toBe(
      "967e85a58236de85a9744610aab67c221e514dab8c283cf725909ae5128a6c00",
    );
    expect(hex(header.c_K)).toBe(
      "16a9571fdd48edfe0c921a63eb414fa34ef66fa995bcbc4c12fabf3b6f72fa28",
    );
    expect(hex(header.c_B)).toBe(
      "9537435d86e57a6d30351a81c78f2f5a9ad1ac1a4c959d2b06c0917864e8eb61",
    );
    expect(hex(header.c_P)).toBe(
      "cd2a9b9233e495495cd83b69f336384f883325e7a56bd0c748668a569525f59b",
    );
    expect(hex(header.ct_root)).toBe(
      "1e478fa887936045bdd60837f97d23c335b333b208830dfe2241b5cc38e7ff2e",
    );
    expect(header.raw.length).toBe(900);
    expect(hex(header.raw.subarray(320, 400))).toBe(
      "d6802da2ef75782d74b1f173bf7b0514aa9439b9030a8c0f59fd6df07a7bcb3a8dc9773ca065ca3e25ea357da693c259a34fbd8462cceb1216aab345dc4bd72d79b4ecc4d616aafde66b211882988508",
    );
    expect(hex(header.raw.subarray(436, 548))).toBe(
      "0626f615c8080911b556097b685a2809008150a60bb54cb0a9c179d9591d414478f9b42d47f0b7da175438e1afb21a0474c191dab8f442dc99999a9dc7e35be5d905985a403e8efa2d03448cfa9f02fc78a0f92f37f282ba7c69fffb52614bde38f16e885e4639ecffefd946229f1ab6",
    );
    expect(hex(sha256(header.raw))).toBe(
      "4c2c71fa43164475f410ecce94049db64908e013fd421f74047ef5096ff1902c",
    );
    expect(hex(header.bid_id)).toBe(
      "e3f3c0dcca282d2dd64a739ccbd952a910f003b8046d1f9f9858315a5773be77",
    );
    expect(hex(sha256(sealed.payload))).toBe(
      "6ef764605b7fecf694385a614c7ede3d02d18fa888d7c8654b34d7d1edf837ac",
    );
  });

  test("deals the shares printed there", () => {
    const shares = trustees.map((trustee, at) => openShare(sealed.header, at + 1, trustee));
    expect(shares.map(({ status, share }) => `${status} ${hex(share)}`)).toEqual([
      "0 62dfd93c8d9922b8434f18427bd2c394976717c9bb9f8fa61d4f76f0cce7a80a",
      "0 416c38777d995492078df2d06df42bf2107ee1e6ea16e355150e52fb8645e504",
      "0 0dcd8c0e88fc98c4a167c4023f1073648a94ab041a8e36050dcd2d0641a3210f",
    ]);
  });

  test("gives the form's values too", () => {
    const form = seal(NACL_1, "form", padded('{"price":"71000000.00"}', 4096), "tm").header;
    expect([form.c_P, form.ct_root, form.bid_id].map(hex)).toEqual([
      "bef9edb698e44141e78d19e16d805276fbfd208919a4ab67ab4baaf6e83a51c0",
      "673af0d6d9177adbfbc0370f032c739a503e8c68bcfc9e2d1e6be68f08b5e490",
      "7aa14e9f5cbe240cb434c77c32a07952fd05f088c5b7ac652934356244fd97a6",
    ]);
  });
});

test("chunk arithmetic is that of the table in 4.5", () => {
  const table: [number, number[]][] = [
    [0, [16]],
    [1, [17]],
    [65_536, [65_552]],
    [65_537, [65_552, 17]],
    [131_072, [65_552, 65_552]],
  ];
  for (const [ptLen, sizes] of table) expect(chunkSizes(NACL_1, ptLen, 16)).toEqual(sizes);
});

describe.each([NACL_1, ODD_SIZES])("an envelope of suite $name", (suite) => {
  const plaintext = padded("x".repeat(200_000), 65_536);
  let sealed: Sealed;
  beforeAll(() => {
    sealed = seal(suite, "body", plaintext);
  });

  test("is accepted under its terms, from its core on", () => {
    const { core } = sealed.header;
    expect(acceptCore(core, terms(suite, "body")).ad).toEqual(sealed.header.ad);
    expect(acceptHeader(sealed.header.raw, terms(suite, "body"))).toEqual(sealed.header);
  });

  test("opens with any two trustees and the bidder's half", async () => {
    const { header } = sealed;
    const half = ownBidderHalf(header, box);
    const answers = trustees.map((trustee, at) => openShare(header, at + 1, trustee).share);
    for (const pair of [
      [1, 2],
      [1, 3],
      [2, 3],
    ]) {
      const shares = new Map(pair.map((i) => [i, answers[i - 1] as Uint8Array]));
      const found = findHostHalf(header, shares, [2, 3]);
      expect(found?.subset).toEqual(pair);
      const opened = contentKey(header, half, found?.hostHalf as Uint8Array);
      if (opened === null) throw new Error("c_K differs");
      expect(equal(openPayload(header, opened, sealed.payload), plaintext)).toBe(true);
    }
  });

  test("opens chunk by chunk", async () => {
    const { header } = sealed;
    const opened = contentKey(header, sealed.bidderHalf, sealed.hostHalf);
    if (opened === null) throw new Error("c_K differs");
    const sizes = chunkSizes(suite, header.pt_len, 16);
    const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
    const parts: Uint8Array[] = [];
    const read = async (i: number) =>
      sealed.payload.subarray(starts[i] as number, (starts[i] as number) + (sizes[i] as number));
    await openTo(header, opened, read, (part) => void parts.push(part));
    expect(equal(concat(...parts), plaintext)).toBe(true);
  });

  test("has the root that a receiver of odd slices computes", () => {
    const { header, payload } = sealed;
    const hasher = new RootHasher(suite, header.pt_len, header.log2_chunk);
    for (let at = 0; at < payload.length; at += 33_333) {
      hasher.update(payload.subarray(at, at + 33_333));
    }
    expect(hasher.root()).toEqual(header.ct_root);
    expect(() => hasher.update(new Uint8Array(1))).toThrow(
      expect.objectContaining({ code: "payload.excess" }),
    );
  });

  test("names a lying trustee and nobody else", () => {
    const { header, hostHalf } = sealed;
    const answers = trustees.map((trustee, at) => openShare(header, at + 1, trustee).share);
    const lie = new Uint8Array(suite.sizes.share).fill(0, 1);
    lie[0] = 7;
    const shares = new Map([
      [1, answers[0] as Uint8Array],
      [2, lie],
      [3, answers[2] as Uint8Array],
    ]);
    expect(findHostHalf(header, shares)?.subset).toEqual([1, 3]);
    expect(dealCheck(header, hostHalf)).toBe(true);
    expect(shareFaults(header, hostHalf, shares, [])).toEqual([{ i: 2, fault: "share" }]);
    shares.delete(2);
    expect(shareFaults(header, hostHalf, shares, [2])).toEqual([{ i: 2, fault: "unreadable" }]);
  });

  test("does not open with anything else", () => {
    const { header, payload, bidderHalf, hostHalf } = sealed;
    const other = new Uint8Array(bidderHalf).fill(9);
    expect(contentKey(header, other, hostHalf)).toBeNull();
    expect(bidderHalfMatches(header, other)).toBe(false);
    expect(() => unsealSeed(header, new BoxKey(seed))).toThrow("seed.key");
    const opened = contentKey(header, bidderHalf, hostHalf);
    if (opened === null) throw new Error("c_K differs");
    const changed = new Uint8Array(payload);
    changed[70_000] = (changed[70_000] as number) ^ 1;
    expect(() => openPayload(header, opened, changed)).toThrow("chunk.tag");
    expect(() => openPayload(header, opened, payload.subarray(1))).toThrow("payload.size");
  });

  test("dies at the signature when any byte of its header changes", () => {
    const { raw } = sealed.header;
    for (let at = 0; at < raw.length; at += 7) {
      const changed = new Uint8Array(raw);
      changed[at] = (changed[at] as number) ^ 1;
      expect(() => acceptHeader(changed, terms(suite, "body"))).toThrow(/^header\./);
    }
  });
});

test("a header of the test suite is unknown to everybody who did not ask for it", () => {
  const { raw } = seal(ODD_SIZES, "form", padded("{}", 4096)).header;
  expect(() => parseHeader(raw)).toThrow("suite.unknown");
  expect(() => parseHeader(raw, NACL_1)).toThrow("header.suite");
});
