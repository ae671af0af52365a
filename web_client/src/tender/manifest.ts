/**
 * What the pages read out of a tender manifest (招标清单): the rule book of formats.md §2.
 *
 * Invariant: read strictly (canonical JSON), shown as it is. Whether it is the right manifest is
 * decided by src/crypto before anything is sealed, unlocked or released; pages only display it.
 */
import { decode } from "../crypto/canonical.ts";

const MANIFEST_BYTES_MAX = 262_144;

export interface Named {
  readonly code: string;
  readonly name: string;
}

export interface Field {
  readonly name: string;
  readonly type: "money" | "rate" | "days" | "text";
  readonly label: { readonly en: string; readonly zh: string };
  readonly decides: boolean;
  readonly optional: boolean;
  readonly max?: number;
  readonly digits?: number;
}

export interface Envelope {
  readonly envelope: number;
  readonly kind: "form" | "body";
  readonly name: string;
  readonly pt_len_max: number;
  readonly mode: 0 | 1;
  readonly t: number;
  readonly trustees: readonly number[];
  readonly fields?: readonly Field[];
}

export interface Session {
  readonly session: number;
  readonly envelopes: readonly number[];
  readonly window_ms: number;
  readonly reply_ms: number;
  readonly early_end: boolean;
  readonly show_count: boolean;
  readonly unattended: boolean;
}

export interface Trustee {
  readonly role: "agency" | "purchaser" | "supervisor" | string;
  readonly code: string;
  readonly organisation: string;
  readonly name: string;
  readonly envelopes: readonly number[];
  readonly xpk: string;
  readonly spk: string;
  readonly ca: unknown;
}

export interface Manifest {
  readonly demo: boolean;
  readonly number: string;
  readonly title: string;
  readonly purchaser: Named;
  readonly agency: Named;
  readonly deadline_ms: number;
  readonly min_bidders: number;
  readonly names_masked: boolean;
  readonly lots: readonly { readonly lot: number; readonly name: string }[];
  readonly envelopes: readonly Envelope[];
  readonly sessions: readonly Session[];
  readonly trustees: readonly Trustee[];
  readonly log: { readonly origin: string; readonly pk: string };
  readonly host_receipt_pk: string;
}

/** The manifest in `raw`; null when it is not canonical JSON of a sane size. */
export function readManifest(raw: Uint8Array): Manifest | null {
  try {
    return decode(raw, { sizeMax: MANIFEST_BYTES_MAX, depthMax: 12 }) as unknown as Manifest;
  } catch {
    return null;
  }
}

export function formEnvelope(manifest: Manifest, session: number): Envelope | undefined {
  const numbers = manifest.sessions.find((one) => one.session === session)?.envelopes ?? [];
  return manifest.envelopes.find((e) => e.kind === "form" && numbers.includes(e.envelope));
}

export function lotName(manifest: Manifest, lot: number): string {
  return manifest.lots.find((one) => one.lot === lot)?.name ?? "";
}
