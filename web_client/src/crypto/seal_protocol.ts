/**
 * What page and sealing worker say to each other (加密上传的页面与后台).
 *
 * Invariant: plain data only, so every message survives structured cloning. Nothing secret goes
 * from the worker to the page but the unlock card's text, which is meant to be printed.
 */

/** Everything the worker needs to seal one envelope; it reads the manifest's bytes itself. */
export interface SealRequest {
  readonly manifest: Uint8Array;
  /** The tender's short id, as in its address. */
  readonly tender: string;
  readonly envelope: number;
  readonly lot: number;
  readonly bidder: { readonly sign_seed: Uint8Array; readonly xpk: Uint8Array };
  /** Before padding: a chosen file, or a Blob of a form's JCS. */
  readonly plaintext: Blob;
  /** The device's clock; rounded to the minute before it is written anywhere. */
  readonly created_ms: number;
  /** Where uploads are created, and what each request carries (the tab's session). */
  readonly uploads: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Where ciphertext waits until the server has it; "auto" takes the disk if there is room. */
  readonly spool: "auto" | "disk" | "memory";
  readonly allow_test_suite?: boolean;
}

/** A sealed envelope on this device's disk, whose upload may be carried on after a reload. */
export interface StoredSeal {
  readonly id: string;
  readonly tender: string;
  readonly envelope: number;
  readonly lot: number;
  readonly file_name: string;
  readonly bid_id: string;
  readonly payload_size: number;
  /** The upload's address, once the server gave one. */
  readonly upload: string | null;
}

export type SealCommand =
  | { readonly kind: "seal"; readonly request: SealRequest }
  | {
      readonly kind: "carry_on";
      readonly id: string;
      readonly uploads: string;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly kind: "pause" }
  /** After a pause, or with fresh headers after `needs_login`. */
  | { readonly kind: "resume"; readonly headers?: Readonly<Record<string, string>> }
  | { readonly kind: "cancel" }
  | { readonly kind: "list_stored" }
  | { readonly kind: "drop_stored"; readonly id: string };

/** Why nothing moves at the moment. */
export type SealTrouble = "" | "paused" | "offline" | "busy" | "needs_login";

export interface SealProgress {
  readonly kind: "progress";
  /** Bytes of ciphertext: made, safely at the server, and in all. */
  readonly sealed: number;
  readonly sent: number;
  readonly total: number;
  readonly trouble: SealTrouble;
}

/** The header exists: the card may be printed, while the rest of the ciphertext is still sent. */
export interface SealSealed {
  readonly kind: "sealed";
  readonly header: Uint8Array;
  readonly bid_id: string;
  readonly card_text: string;
}

/** The server has payload and header; the envelope counts only through a SUBMIT. */
export interface SealDone {
  readonly kind: "done";
  readonly header: Uint8Array;
  readonly bid_id: string;
  /** null when an earlier visit sealed it: then the key file gives the half again. */
  readonly card_text: string | null;
  /** The stored ciphertext's id, to be dropped when it is not wanted any more. */
  readonly stored_id: string | null;
}

export interface SealFailed {
  readonly kind: "failed";
  readonly code: string;
  /** True: `carry_on` with `stored_id` may succeed later. False: seal anew, with new keys. */
  readonly stored_id: string | null;
}

export type SealReport =
  | SealProgress
  | SealSealed
  | SealDone
  | SealFailed
  | { readonly kind: "stored"; readonly seals: readonly StoredSeal[] };
