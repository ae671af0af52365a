/**
 * Proofs and receipts (证明、回执): that an entry is in the log, that a message was taken.
 *
 * Invariant: a proof leads from the entry's own bytes to the root of a signed checkpoint of exactly
 * its size; a receipt binds message, signed promise (C14), entry and checkpoint to each other, so
 * that its holder needs no further word of the operator.
 */
import type { Consistency, Proof, Receipt } from "../formats.ts";
import { type Ack, ackSignatureOk, parseAck } from "./ack.ts";
import { batchRoot, siteLeaf } from "./batch.ts";
import { type Bytes, compare, equal, hex, unhex } from "./bytes.ts";
import { type Checkpoint, parseCheckpoint } from "./checkpoint.ts";
import { decodeDocument } from "./documents.ts";
import { decodeEntry, ENTRY_TYPE, type LogEntry } from "./entries.ts";
import { Rejected } from "./errors.ts";
import { sha256 } from "./hashes.ts";
import type { TenderManifest } from "./manifest.ts";
import { checkConsistency, leafHash, merkleRoot, rootFromPath } from "./merkle.ts";

/** Between an entry's server_ms and the tick of its leaf (C14). */
const INTEGRATION_MS_MAX = 2000;
const BIDS_MAX = 65_536;

/** ACK kind -> the entry it promises: type, and the member that tells kinds of one type apart. */
const PROMISED: Record<number, readonly [number, string, number | string]> = {
  1: [ENTRY_TYPE.SUBMIT, "kind", 1],
  2: [ENTRY_TYPE.SUBMIT, "kind", 2],
  3: [ENTRY_TYPE.UNLOCK, "by", "key"],
  4: [ENTRY_TYPE.UNLOCK, "by", "card"],
  5: [ENTRY_TYPE.SELF_RELEASE, "", 0],
  6: [ENTRY_TYPE.RELEASE, "", 0],
  7: [ENTRY_TYPE.OBJECTION, "", 0],
};

/** The site root that follows from the entry's bytes. Codes: `proof.*`. */
export function proofRoot(proof: Proof): Bytes {
  const root = batchRoot(
    unhex(proof.entry),
    proof.slot,
    proof.siblings.map((node) => unhex(node)),
  );
  const path = proof.path.map((node) => unhex(node));
  return rootFromPath(siteLeaf(proof.tick_ms, root), proof.index, proof.size, path);
}

/**
 * The entry, once it is shown to be in the log under this checkpoint.
 *
 * Codes: `proof.` size (another tree), slot, index, length, hash, root, those of decodeEntry,
 * `proof.tick` (server_ms not in the 2 s before tick_ms).
 */
export function verifyProof(proof: Proof, checkpoint: Checkpoint): LogEntry {
  if (proof.size !== checkpoint.size) throw new Rejected("proof.size");
  if (!equal(proofRoot(proof), checkpoint.root)) throw new Rejected("proof.root");
  const entry = decodeEntry(unhex(proof.entry));
  const late = proof.tick_ms - (entry.members["server_ms"] as number);
  if (late < 0 || late > INTEGRATION_MS_MAX) throw new Rejected("proof.tick");
  return entry;
}

/** Refuse unless a (schema-checked) Consistency shows that `grown` continues `old`. */
export function verifyConsistency(value: Consistency, old: Checkpoint, grown: Checkpoint): void {
  if (value.from !== old.size || value.to !== grown.size) throw new Rejected("proof.size");
  checkConsistency(
    old,
    grown,
    value.path.map((node) => unhex(node)),
  );
}

/** list_root of DEADLINE_CLOSED over the SHA-256 of the counting SUBMITs, in any order. */
export function closedListRoot(digests: readonly Uint8Array[]): Bytes {
  return merkleRoot([...digests].sort(compare).map((digest) => leafHash(digest)));
}

/**
 * Does `path` show that the SUBMIT of this SHA-256 is one of `count` in the closed list?
 *
 * A receipt does not say at which place (that would tell how many sort before it), so each place
 * is tried; a path that fits at any of them is a proof.
 */
export function inClosedList(
  digest: Uint8Array,
  path: readonly Uint8Array[],
  count: number,
  listRoot: Uint8Array,
): boolean {
  if (count < 1 || count > BIDS_MAX) return false;
  const leaf = leafHash(digest);
  for (let index = 0; index < count; index++) {
    try {
      if (equal(rootFromPath(leaf, index, count, path), listRoot)) return true;
    } catch (error) {
      if (!(error instanceof Rejected)) throw error;
    }
  }
  return false;
}

/** What a verified receipt shows. */
export interface ShownReceipt {
  readonly ack: Ack;
  readonly entry: LogEntry;
  readonly checkpoint: Checkpoint;
  readonly message: Bytes;
}

/** A receipt from its file, not yet verified. */
export function parseReceipt(raw: Uint8Array): Receipt {
  return decodeDocument("Receipt", raw);
}

/**
 * What the receipt shows, by the keys of the manifest.
 *
 * Codes: those of parseAck, `receipt.tender`, `receipt.signature` (of the promise),
 * `receipt.message` (the promise is about another), those of parseCheckpoint and verifyProof,
 * `receipt.entry` (the log says something else than the promise).
 */
export function verifyReceipt(receipt: Receipt, manifest: TenderManifest): ShownReceipt {
  const { members, tender_id } = manifest;
  const message = unhex(receipt.message);
  const ack = parseAck(unhex(receipt.ack));
  if (!equal(ack.tender_id, tender_id)) throw new Rejected("receipt.tender");
  if (!ackSignatureOk(ack, unhex(members.host_receipt_pk))) throw new Rejected("receipt.signature");
  if (!equal(sha256(message), ack.message_sha256)) throw new Rejected("receipt.message");
  const { origin, pk } = members.log;
  const checkpoint = parseCheckpoint(receipt.checkpoint, origin, unhex(pk));
  const entry = verifyProof(receipt.proof, checkpoint);
  if (!isPromised(entry, ack, message.length)) throw new Rejected("receipt.entry");
  return { ack, entry, checkpoint, message };
}

function isPromised(entry: LogEntry, ack: Ack, size: number): boolean {
  const promised = PROMISED[ack.kind];
  if (promised === undefined) return false;
  const [type, member, value] = promised;
  // An entry without result or time is made only for what was accepted, and says no other time.
  const said = { result: 0, received_ms: ack.server_ms, size, ...entry.members };
  return (
    entry.type === type &&
    (member === "" || entry.members[member] === value) &&
    entry.members["tender_id"] === hex(ack.tender_id) &&
    entry.members["sha256"] === hex(ack.message_sha256) &&
    said.result === ack.result &&
    said.received_ms === ack.server_ms &&
    said.size === size
  );
}
