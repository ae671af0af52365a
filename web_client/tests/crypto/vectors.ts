/** The vector files that Python and the browser code share, and the shapes inside them. */
import { readFileSync } from "node:fs";
import type { EnvelopeTerms } from "../../src/crypto/accept.ts";
import { type Bytes, concat, unhex } from "../../src/crypto/bytes.ts";
import { Rejected } from "../../src/crypto/errors.ts";
import { getSuite } from "../../src/crypto/suites/index.ts";

const FOLDER = new URL("../../../tests/vectors/", import.meta.url);

export function vectors<Shape>(name: string): Shape {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")) as Shape;
}

/** Each piece repeated, all joined. */
export type Recipe = readonly { readonly hex: string; readonly repeat: number }[];

export function repeated(hexText: string, times: number): Bytes {
  const piece = unhex(hexText);
  const out = new Uint8Array(piece.length * times);
  for (let i = 0; i < times; i++) out.set(piece, i * piece.length);
  return out;
}

export function cooked(recipe: Recipe): Bytes {
  return concat(...recipe.map(({ hex, repeat }) => repeated(hex, repeat)));
}

export interface TermsVector {
  suite: number;
  tender_id: string;
  lots: number[];
  envelope: number;
  kind: "form" | "body";
  log2_chunk: number;
  pt_len_max: number;
  t: number;
  trustee_xpks: string[];
  demo: boolean;
  bidder_pk: string;
  bidder_xpk: string;
}

export function termsFrom(vector: TermsVector): EnvelopeTerms {
  return {
    ...vector,
    suite: getSuite(vector.suite, { allowTest: true }),
    tender_id: unhex(vector.tender_id),
    trustee_xpks: vector.trustee_xpks.map((key) => unhex(key)),
    bidder_pk: unhex(vector.bidder_pk),
    bidder_xpk: unhex(vector.bidder_xpk),
  };
}

/** The code with which `attempt` is refused, or "ok". Any other error fails the test. */
export function codeOf(attempt: () => unknown): string {
  try {
    attempt();
  } catch (error) {
    if (error instanceof Rejected) return error.code;
    throw error;
  }
  return "ok";
}
