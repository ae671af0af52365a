/** A small opening, played by keys from fixed seeds: manifest, bids, log, windows, receipts. */
import { ACK_SUBMIT, buildAck } from "../../src/crypto/ack.ts";
import { BATCH_DEPTH, batchRoot, siteLeaf } from "../../src/crypto/batch.ts";
import { type Bytes, hex, unhex, utf8 } from "../../src/crypto/bytes.ts";
import { encode, type JsonObject } from "../../src/crypto/canonical.ts";
import { signCheckpoint } from "../../src/crypto/checkpoint.ts";
import { ENTRY_TYPE, encodeEntry } from "../../src/crypto/entries.ts";
import { pad } from "../../src/crypto/form.ts";
import { sha256 } from "../../src/crypto/hashes.ts";
import { BoxKey, SigningKey } from "../../src/crypto/keys.ts";
import { parseManifest, type TenderManifest, termsOf } from "../../src/crypto/manifest.ts";
import { inclusionPath, leafHash, merkleRoot } from "../../src/crypto/merkle.ts";
import { closedListRoot } from "../../src/crypto/receipts.ts";
import { bindMessage, inviteMessage } from "../../src/crypto/registration.ts";
import { type Sealed, sealBytes } from "../../src/crypto/sealing.ts";
import { buildSubmit, type Submit } from "../../src/crypto/submissions.ts";
import type { Consistency, Manifest, Proof, Receipt } from "../../src/formats.ts";
import { vectors } from "./vectors.ts";

const filled = (byte: number) => new Uint8Array(32).fill(byte);
const SALT = new Uint8Array(16).fill(7);

/** RFC 6962 2.1.2, straight from its text. */
export function consistencyPath(
  all: readonly Uint8Array[],
  old: number,
  whole = true,
): Uint8Array[] {
  if (old === all.length) return whole ? [] : [merkleRoot(all)];
  let half = 1;
  while (half * 2 < all.length) half *= 2;
  return old <= half
    ? [...consistencyPath(all.slice(0, half), old, whole), merkleRoot(all.slice(half))]
    : [...consistencyPath(all.slice(half), old - half, false), merkleRoot(all.slice(0, half))];
}

/** A log with one entry in each leaf. */
export class TestLog {
  private readonly leaves: Bytes[] = [];
  private readonly proofs: Omit<Proof, "size" | "path">[] = [];
  readonly origin: string;
  readonly key: SigningKey;

  constructor(origin: string, key: SigningKey) {
    this.origin = origin;
    this.key = key;
  }

  get size(): number {
    return this.leaves.length;
  }

  /** Append an entry half a second before its tick; returns its index. */
  append(type: number, members: JsonObject, tickDelayMs = 500): number {
    const entry = encodeEntry(type, members, SALT);
    const siblings = Array.from({ length: BATCH_DEPTH }, (_, i) => filled(i + 1));
    const slot = 77;
    const tick_ms = (members["server_ms"] as number) + tickDelayMs;
    this.leaves.push(siteLeaf(tick_ms, batchRoot(entry, slot, siblings)));
    const index = this.leaves.length - 1;
    this.proofs.push({ entry: hex(entry), slot, siblings: siblings.map(hex), tick_ms, index });
    return index;
  }

  checkpoint(size = this.size, key = this.key): string {
    return signCheckpoint(this.origin, size, merkleRoot(this.leaves.slice(0, size)), key);
  }

  proof(index: number, size = this.size): Proof {
    const path = inclusionPath(this.leaves.slice(0, size), index).map(hex);
    return { ...(this.proofs[index] as Omit<Proof, "size" | "path">), size, path };
  }

  all(size = this.size): Proof[] {
    return Array.from({ length: size }, (_, index) => this.proof(index, size));
  }

  consistency(from: number, to = this.size): Consistency {
    return { from, to, path: consistencyPath(this.leaves.slice(0, to), from).map(hex) };
  }
}

export interface RehearsalBid {
  readonly key: SigningKey;
  readonly box: BoxKey;
  /** Form and body, envelopes 1 and 2. */
  readonly sealed: readonly [Sealed, Sealed];
  readonly submit: Submit;
  readonly receipt: Receipt;
}

export interface Changes {
  /** Members of the manifest to replace. */
  readonly manifest?: Partial<Manifest>;
  /** The log begins with another entry: a fork from the first second on. */
  readonly isForked?: boolean;
}

/** Everything up to a session whose two windows have just opened (not yet ended). */
export class Rehearsal {
  readonly manifest: TenderManifest;
  readonly log: TestLog;
  readonly bids: RehearsalBid[] = [];
  readonly trustees: { readonly box: BoxKey; readonly key: SigningKey }[];
  readonly hostKey = new SigningKey(filled(0x23));
  readonly supervisorKey = new SigningKey(filled(0x22));
  readonly nonces = [filled(0xa1), filled(0xa2)] as const;
  readonly deadlineMs: number;
  readonly endMs: number;
  private readonly receiptKey = new SigningKey(filled(0x31));

  constructor(bidders = 3, changes: Changes = {}) {
    const { documents } = vectors<{ documents: { name: string; json: string }[] }>("formats.json");
    const raw = documents.find((each) => each.name === "manifest")?.json ?? "";
    const members = JSON.parse(new TextDecoder().decode(unhex(raw))) as Manifest;
    this.manifest = parseManifest(encode({ ...members, ...changes.manifest } as never));
    this.log = new TestLog(members.log.origin, new SigningKey(filled(0x32)));
    this.trustees = [1, 2, 3].map((n) => ({
      box: new BoxKey(filled(n)),
      key: new SigningKey(filled(0x10 + n)),
    }));
    this.deadlineMs = this.manifest.members.deadline_ms;
    this.endMs = this.deadlineMs + 600_000 + 1_800_000;
    if (changes.isForked === true) this.register(this.hostKey, new BoxKey(filled(0x99)));
    for (let at = 0; at < bidders; at++) this.bids.push(this.bid(at));
  }

  /** Members that every entry of the tender has. */
  at(serverMs: number): { server_ms: number; tender_id: string } {
    return { server_ms: serverMs, tender_id: hex(this.manifest.tender_id) };
  }

  private bid(at: number): RehearsalBid {
    const key = new SigningKey(filled(0x40 + at));
    const box = new BoxKey(filled(0x50 + at));
    const seal = (envelope: number, plaintext: Bytes) =>
      sealBytes(
        {
          terms: termsOf(this.manifest, envelope, { pk: key.public, xpk: box.public }),
          lot: 1,
          created_ms: this.deadlineMs - 3_600_000,
          bid_nonce: new Uint8Array(16).fill(16 * at + envelope),
          seed: filled(0x60 + 2 * at + envelope),
          key,
        },
        plaintext,
      );
    const sealed = [seal(1, pad(utf8("{}"), 4096)), seal(2, pad(utf8("body"), 65_536))] as const;
    this.register(key, box);
    const submit = buildSubmit(
      this.manifest.suite,
      {
        tender_id: this.manifest.tender_id,
        lot: 1,
        seq: 1,
        prev: new Uint8Array(32),
        items: sealed.map(({ header }) => ({ envelope: header.envelope, bid_id: header.bid_id })),
      },
      key,
    );
    const receipt = this.receiptOf(submit, this.deadlineMs - 60_000 + at * 1000);
    return { key, box, sealed, submit, receipt };
  }

  private register(key: SigningKey, box: BoxKey): void {
    const claims = {
      tender_id: this.manifest.tender_id,
      bidder_pk: key.public,
      bidder_xpk: box.public,
      expiry_ms: this.deadlineMs + 86_400_000,
      org_sha256: sha256(key.public),
    };
    const sig = hex(this.receiptKey.sign(inviteMessage(claims)));
    const pk = hex(this.receiptKey.public);
    this.log.append(ENTRY_TYPE.BIDDER_REG, {
      ...this.at(this.deadlineMs - 7_200_000),
      bidder_pk: hex(claims.bidder_pk),
      bidder_xpk: hex(claims.bidder_xpk),
      org_sha256: hex(claims.org_sha256),
      expiry_ms: claims.expiry_ms,
      sig: hex(key.sign(bindMessage(claims))),
      binding: { kind: "invitation", pk, sig },
    });
  }

  receiptOf(submit: Submit, receivedMs: number, result = 0): Receipt {
    const ack = buildAck(this.receiptKey, {
      tender_id: submit.tender_id,
      kind: ACK_SUBMIT,
      message_sha256: submit.digest,
      result,
      server_ms: receivedMs,
    });
    const index = this.log.append(ENTRY_TYPE.SUBMIT, {
      ...this.at(receivedMs),
      kind: 1,
      result,
      sha256: hex(submit.digest),
      size: submit.raw.length,
      received_ms: receivedMs,
    });
    return {
      ack: hex(ack.raw),
      checkpoint: this.log.checkpoint(),
      closed_path: null,
      message: hex(submit.raw),
      proof: this.log.proof(index),
    };
  }

  get digests(): Bytes[] {
    return this.bids.map((bid) => bid.submit.digest);
  }

  /** DEADLINE_CLOSED, at a time that may be a lie. */
  close(serverMs = this.deadlineMs + 412, members: JsonObject = {}): number {
    return this.log.append(ENTRY_TYPE.DEADLINE_CLOSED, {
      ...this.at(serverMs),
      deadline_ms: this.deadlineMs,
      count: this.bids.length,
      list_root: hex(closedListRoot(this.digests)),
      ...members,
    });
  }

  /** OPENING_START of both windows, ten minutes after the deadline. */
  open(members: JsonObject = {}, serverMs = this.deadlineMs + 600_000): void {
    for (const [at, nonce] of this.nonces.entries()) {
      this.log.append(ENTRY_TYPE.OPENING_START, {
        ...this.at(serverMs),
        session: 1,
        envelope: at + 1,
        w: 1,
        nonce: hex(nonce),
        start_ms: serverMs,
        end_ms: this.endMs,
        ...members,
      });
    }
  }

  change(change: "pause" | "resume" | "extend", endMs: number, serverMs: number): void {
    for (const nonce of this.nonces) {
      this.log.append(ENTRY_TYPE.WINDOW_CHANGE, {
        ...this.at(serverMs),
        nonce: hex(nonce),
        change,
        end_ms: endMs,
        remaining_ms: null,
        reason: "rehearsal",
      });
    }
  }

  /** WINDOW_END of both windows. */
  end(serverMs = this.endMs + 40, members: JsonObject = {}): void {
    for (const nonce of this.nonces) {
      this.log.append(ENTRY_TYPE.WINDOW_END, {
        ...this.at(serverMs),
        nonce: hex(nonce),
        end_ms: this.endMs,
        early: false,
        unlocked: this.bids.length,
        ...members,
      });
    }
  }

  /** Path of one bid's SUBMIT in the closed list, as hex. */
  closedPath(at: number): string[] {
    const sorted = this.digests.map(hex).sort();
    const leaves = sorted.map((digest) => leafHash(unhex(digest)));
    const index = sorted.indexOf(hex((this.bids[at] as RehearsalBid).submit.digest));
    return inclusionPath(leaves, index).map(hex);
  }

  /** Every bid's half of every envelope. */
  halves(): Map<string, Bytes> {
    const all = this.bids.flatMap((bid) => bid.sealed);
    return new Map(all.map(({ header, bidderHalf }) => [hex(header.bid_id), bidderHalf]));
  }
}
