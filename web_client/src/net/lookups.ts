/**
 * What pages look up over HTTP (查询): the public board, one's own bids, proofs.
 *
 * Invariant: shapes of the server's JSON, hex for bytes; whatever matters is verified by src/crypto
 * after it was read, nothing is believed because it came from here.
 */
import { type Bytes, unhex } from "../crypto/bytes.ts";
import type { Consistency, Proof } from "../formats.ts";
import type { Stage } from "../messages.ts";
import { getBytes, getJson } from "./http.ts";

/** One row of `GET /tenders`. */
export interface TenderRow {
  readonly id: string;
  readonly number: string;
  readonly title: string;
  readonly purchaser: string;
  readonly agency: string;
  readonly deadline_ms: number;
  readonly stage: Stage;
  readonly session_end_ms: number | null;
}

/** One of `GET /demo/people.json`; seeds are hex. */
export interface DemoPerson {
  readonly person: string;
  readonly role: string;
  readonly name: string;
  readonly org: string;
  readonly org_name: string;
  readonly seed: string;
  /** A trustee's box and signing seeds. */
  readonly xpk_seed?: string;
  readonly spk_seed?: string;
  /** A bidder's keys of the tender, where the demo made them beforehand. */
  readonly sign_seed?: string;
  readonly box_seed?: string;
  /** The key of an office, which signs acts. */
  readonly officer_seed?: string;
  /** Names the sentence of what this person can do in the demo: `demo.note.*`. */
  readonly note?: string;
  /** An expert's place in the meeting. */
  readonly venue?: string;
  readonly seat?: string;
}

export interface Mine {
  readonly registration: {
    readonly bidder_pk: string;
    readonly bidder_xpk: string;
    readonly certified: boolean;
    readonly org: string;
    readonly name: string;
  } | null;
  readonly envelopes: readonly {
    readonly envelope: number;
    readonly lot: number;
    readonly bid_id: string;
    readonly header: string;
    readonly submitted: boolean;
  }[];
  readonly submits: readonly {
    readonly sha256: string;
    readonly kind: number;
    readonly lot: number;
    readonly seq: number;
    readonly result: number;
    readonly received_ms: number;
    readonly message: string;
  }[];
  /** Receipt objects of formats.md §7; one is missing until its entry is under a checkpoint. */
  readonly receipts: readonly unknown[];
}

/** Public entries with proofs, all to one checkpoint. */
export interface Proofs {
  readonly checkpoint: string;
  readonly [entries: string]: unknown;
}

export const tenders = async (): Promise<readonly TenderRow[]> =>
  (await getJson<{ tenders: readonly TenderRow[] }>("/tenders")).tenders;

export const mine = (id: string): Promise<Mine> => getJson(`/tenders/${id}/mine`);

export const manifestBytes = (id: string): Promise<Bytes> =>
  getBytes(`/tenders/${id}/manifest.json`);

export interface DemoCast {
  readonly people: readonly DemoPerson[];
  readonly tender?: string;
  /** A meeting of evaluation, and who takes part in it besides its experts. */
  readonly meeting?: string;
  readonly attendants?: readonly string[];
}

export const demoPeople = (): Promise<DemoCast> => getJson("/demo/people.json");

/** `size`: of the checkpoint that the proofs shall lead to; the newest when it is left out. */
export const proofs = (id: string, size?: number): Promise<Proofs> =>
  getJson(`/openings/${id}/proofs${sized(size)}`);

const sized = (size: number | undefined): string => (size === undefined ? "" : `?size=${size}`);

export const consistency = (from: number, to: number): Promise<Consistency> =>
  getJson(`/log/consistency?from=${from}&to=${to}`);

export const closedPath = (
  id: string,
  sha256: string,
): Promise<{ path: readonly string[]; index: number; count: number }> =>
  getJson(`/openings/${id}/closed-path?sha256=${sha256}`);

/** A counting bid, found by the first 8 bytes of its bid_id: what an unlock card says of it. */
export interface SealedBid {
  readonly header: Bytes;
  readonly submit: Bytes;
  /** Of the SUBMIT in the closed list, hex. */
  readonly path: readonly string[];
}

export async function sealedBid(id: string, bidIdStart: string): Promise<SealedBid> {
  const found = await getJson<{ header: string; submit: string; path: readonly string[] }>(
    `/openings/${id}/sealed-bid?bid_id_start=${bidIdStart}`,
  );
  return { header: unhex(found.header), submit: unhex(found.submit), path: found.path };
}

export interface Envelopes {
  readonly submits: readonly Bytes[];
  readonly headers: readonly Bytes[];
  /** Proofs of the counting bidders' registrations. */
  readonly registrations: readonly Proof[];
}

export async function envelopes(id: string, size: number): Promise<Envelopes> {
  const found = await getJson<{
    submits: readonly string[];
    headers: readonly string[];
    registrations?: readonly Proof[];
  }>(`/openings/${id}/envelopes${sized(size)}`);
  return {
    submits: found.submits.map((text) => unhex(text)),
    headers: found.headers.map((text) => unhex(text)),
    registrations: found.registrations ?? [],
  };
}

export async function halves(id: string): Promise<ReadonlyMap<string, Bytes>> {
  const found = await getJson<{ halves: Readonly<Record<string, string>> }>(
    `/openings/${id}/halves`,
  );
  return new Map(Object.entries(found.halves).map(([bidId, half]) => [bidId, unhex(half)]));
}

/** Every proof in an answer of `proofs`, whatever entry types the server shows. */
export function allProofs(answer: Proofs): Proof[] {
  return Object.entries(answer)
    .filter(([name]) => name !== "checkpoint")
    .flatMap(([, value]) => (Array.isArray(value) ? value : [value]))
    .filter((value): value is Proof => typeof value === "object" && value !== null);
}
