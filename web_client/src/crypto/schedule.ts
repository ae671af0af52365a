/**
 * The key schedule (密钥派生): every KBID1 hash, its label, its key and what goes in (4.2, C2).
 *
 * Invariant: each value depends on the whole core of the header through `ad`, so nothing that was
 * made for one envelope fits another. Pure functions of bytes; sizes come from the suite.
 */
import { type Bytes, concat, u8 } from "./bytes.ts";
import type { Suite } from "./suites/index.ts";

/** AD: the core without header_len, which the number of trustees decides. */
export function associatedData(suite: Suite, core: Uint8Array): Bytes {
  const parts = [core.subarray(0, 12), core.subarray(16)];
  return suite.expand("KBID1 ad", parts, { size: suite.sizes.ad });
}

/** bid_id, over the whole header with its signature. */
export function bidIdOf(suite: Suite, header: Uint8Array): Bytes {
  return suite.expand("KBID1 bid", [header], { size: suite.sizes.bidId });
}

/** s_B (投标人半钥) from the envelope's seed. */
export function bidderHalf(suite: Suite, seed: Uint8Array): Bytes {
  return suite.expand("KBID1 sB", [], { key: seed, size: suite.sizes.bidderHalf });
}

/** s_H (招标人半钥) from the envelope's seed: a scalar. */
export function hostHalf(suite: Suite, seed: Uint8Array): Bytes {
  return suite.reduce(suite.expand("KBID1 sH", [], { key: seed, size: suite.sizes.wide }));
}

export function bidderCommitment(suite: Suite, ad: Uint8Array, sB: Uint8Array): Bytes {
  return suite.expand("KBID1 cB", [ad, sB], { size: suite.sizes.commitment });
}

export function hostCommitment(suite: Suite, ad: Uint8Array, sH: Uint8Array): Bytes {
  return suite.expand("KBID1 cH", [ad, sH], { size: suite.sizes.commitment });
}

/** K and c_K: two parts of one output, so K cannot be changed and c_K kept. */
export function keyAndCommitment(
  suite: Suite,
  ad: Uint8Array,
  sB: Uint8Array,
  sH: Uint8Array,
): { key: Bytes; commitment: Bytes } {
  const size = suite.sizes.key + suite.sizes.commitment;
  const okm = suite.expand("KBID1 key", [ad], { key: concat(sB, sH), size });
  return { key: okm.slice(0, suite.sizes.key), commitment: okm.slice(suite.sizes.key) };
}

/** r_P. It needs both halves: otherwise a price could be guessed once s_B is known. */
export function plaintextBlind(
  suite: Suite,
  ad: Uint8Array,
  sB: Uint8Array,
  sH: Uint8Array,
): Bytes {
  return suite.expand("KBID1 rP", [ad], { key: concat(sB, sH), size: suite.sizes.blind });
}

/** c_P; `inner` is the suite's plaintext hash over exactly pt_len bytes. */
export function plaintextCommitment(suite: Suite, blind: Uint8Array, inner: Uint8Array): Bytes {
  return suite.expand("KBID1 cP", [inner], { key: blind, size: suite.sizes.commitment });
}

/** a_0 = s_H, a_1 .. a_(t-1): the polynomial of C2. */
export function coefficients(suite: Suite, ad: Uint8Array, sH: Uint8Array, t: number): Bytes[] {
  const out = [new Uint8Array(sH)];
  for (let j = 1; j < t; j++) {
    const wide = suite.expand("KBID1 poly", [ad, u8(j)], { key: sH, size: suite.sizes.wide });
    out.push(suite.reduce(wide));
  }
  return out;
}

/** esk_i of C2. */
export function trusteeEphemeral(suite: Suite, ad: Uint8Array, sH: Uint8Array, i: number): Bytes {
  return suite.expand("KBID1 eT", [ad, u8(i)], { key: sH, size: suite.sizes.ephemeral });
}

/** esk_B of C2. */
export function bidderEphemeral(suite: Suite, ad: Uint8Array, seed: Uint8Array): Bytes {
  return suite.expand("KBID1 eB", [ad], { key: seed, size: suite.sizes.ephemeral });
}

/** The checksum of an unlock card (C8): the first bytes of a 32-byte H. */
export function cardCheck(suite: Suite, body: Uint8Array): Bytes {
  return suite.expand("KBID1 card", [body], { size: 32 }).slice(0, suite.sizes.cardCheck);
}
