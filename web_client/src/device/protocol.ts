/**
 * What a page asks of the device worker (后台核对): the slow things, off the page's thread.
 *
 * Invariant: plain data only. Seeds cross between page and worker of one tab and nowhere else.
 */

import type { ReleaseCheck } from "../crypto/release_check.ts";
import type { SessionWindow } from "../crypto/release_evidence.ts";
import type { Consistency, Proof } from "../formats.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** A bidder's two keys of one tender, open. */
export interface OpenKeys {
  readonly signSeed: Bytes;
  readonly boxSeed: Bytes;
  readonly pk: Bytes;
  readonly xpk: Bytes;
}

export interface TrusteeSeeds {
  readonly signSeed: Bytes;
  readonly boxSeed: Bytes;
}

/** Everything of `ReleaseQuestion` as plain data. */
export interface ReleaseAsked {
  readonly manifest: Bytes;
  readonly seeds: TrusteeSeeds;
  readonly checkpoint: string;
  readonly proofs: readonly Proof[];
  readonly seenClosing: { readonly text: string; readonly consistency?: Consistency } | null;
  readonly windows: readonly SessionWindow[];
  readonly submits: readonly Bytes[];
  readonly headers: readonly Bytes[];
  readonly halves: ReadonlyMap<string, Bytes>;
  readonly released: readonly { readonly envelope: number; readonly nonce: string }[];
  readonly nowMs: number;
  readonly deadlineConfirmed: boolean;
  /** False: check only. True: check again and, if all passed, sign the messages. */
  readonly sign: boolean;
}

export interface ReleaseAnswer {
  readonly checks: readonly ReleaseCheck[];
  readonly ok: boolean;
  readonly shares: number;
  readonly deadlineMs: number | null;
  readonly messages: readonly Bytes[];
}

export type DeviceRequest =
  | { readonly kind: "create_key"; readonly tenderId: Bytes; readonly passphrase: string }
  | { readonly kind: "open_key"; readonly file: Bytes; readonly passphrase: string }
  | { readonly kind: "release"; readonly asked: ReleaseAsked };

export type DeviceAnswer =
  | {
      readonly kind: "key";
      readonly tenderId: Bytes;
      readonly file: Bytes;
      readonly keys: OpenKeys;
    }
  | { readonly kind: "release"; readonly answer: ReleaseAnswer }
  | { readonly kind: "failed"; readonly code: string };
